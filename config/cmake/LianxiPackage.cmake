# `cmake --install BUILD --prefix P [--component sdk]`: the SDK as a CMake package, and the programs (component `programs`).
# Headers keep their paths below include/lianxi, so that code reads the same against the source tree and the package.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(lianxi_headers ${CMAKE_INSTALL_INCLUDEDIR}/lianxi)
set(lianxi_package ${CMAKE_INSTALL_LIBDIR}/cmake/lianxi)

# What agents/sdk/client.h draws in, and what makes and reads events.
foreach(header
    agents/sdk/client.h agents/sdk/event_stream.h agents/sdk/profile.h agents/sdk/stop_signal.h agents/sdk/wake_fd.h
    schemas/event.h schemas/event_rules.h schemas/ids.h schemas/limits.h schemas/membership.h schemas/mobilisation_rows.h schemas/protocol.h schemas/queries.h schemas/result.h schemas/security.h schemas/text.h schemas/vocabulary.h
    schemas/codec/chain.h schemas/codec/event_codec.h schemas/codec/frame.h schemas/codec/json.h schemas/codec/segment.h)
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${header} DESTINATION ${lianxi_headers}/${folder} COMPONENT sdk)
endforeach()

install(TARGETS lianxi_sdk lianxi_schemas EXPORT lianxi
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk
  INCLUDES DESTINATION ${lianxi_headers})
install(EXPORT lianxi NAMESPACE lianxi:: FILE lianxiTargets.cmake DESTINATION ${lianxi_package} COMPONENT sdk)
configure_package_config_file(config/cmake/lianxiConfig.cmake.in ${lianxi_BINARY_DIR}/lianxiConfig.cmake
  INSTALL_DESTINATION ${lianxi_package})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${lianxi_BINARY_DIR}/lianxiConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${lianxi_BINARY_DIR}/lianxiConfig.cmake ${lianxi_BINARY_DIR}/lianxiConfigVersion.cmake
  DESTINATION ${lianxi_package} COMPONENT sdk)

install(TARGETS lianxi-broker lianxi lianxi-agent lianxi-node RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
