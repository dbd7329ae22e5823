#include <GeographicLib/Geodesic.hpp>

#include "broker/store/read_view.h"

namespace lianxi::store {

double geodesic_m(LonLat a, LonLat b) {
  double metres = 0;
  GeographicLib::Geodesic::WGS84().Inverse(a.lat, a.lon, b.lat, b.lon, metres);
  return metres;
}

}  // namespace lianxi::store
