# lianxi_floor(NAME SOURCES ... LINKS ... [PRIVATE ...]): a floor or part of the house is one static library; LINKS are the
# floors whose headers it may include (tests/unit/house checks the includes against them), PRIVATE the outside libraries.
add_library(lianxi_options INTERFACE)
target_include_directories(lianxi_options INTERFACE ${lianxi_SOURCE_DIR})
target_compile_features(lianxi_options INTERFACE cxx_std_20)
target_compile_options(lianxi_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough
  -Wno-missing-field-initializers)  # designated initialisers name what matters, the rest has its default
if(LIANXI_WERROR)
  target_compile_options(lianxi_options INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # At -O3 these guesses of GCC 12's optimiser misfire inside FlatBuffers' headers and std::string.
  target_compile_options(lianxi_options INTERFACE -Wno-null-dereference -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(LIANXI_SANITIZE)
  target_compile_options(lianxi_options INTERFACE -fsanitize=${LIANXI_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(lianxi_options INTERFACE -fsanitize=${LIANXI_SANITIZE})
endif()

find_program(LIANXI_CCACHE ccache)
if(LIANXI_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LIANXI_CCACHE})
endif()
find_program(LIANXI_MOLD mold)
if(LIANXI_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

function(lianxi_floor name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  # What is installed takes no warnings along.
  target_link_libraries(${name} PUBLIC $<BUILD_INTERFACE:lianxi_options> ${ARG_LINKS} PRIVATE ${ARG_PRIVATE})
  target_compile_features(${name} PUBLIC cxx_std_20)
endfunction()

function(lianxi_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE lianxi_options ${ARG_LINKS})
endfunction()

# lianxi_test(NAME SOURCES ... LINKS ... [LABELS ...]): GoogleTest program; every test of it is one of ctest's.
function(lianxi_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE lianxi_options lianxi_source_tree ${ARG_LINKS} GTest::gmock GTest::gtest_main)
  include(GoogleTest)
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 300)
endfunction()
