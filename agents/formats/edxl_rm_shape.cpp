#include "agents/formats/edxl_rm_shape.h"

#include <array>

namespace lianxi::formats {
namespace {

using R = ResourceMessage;
using S = ScheduleType;
constexpr Need no = Need::no, may = Need::may, must = Need::must;

constexpr std::uint32_t bit(ScheduleType type) {
  return std::uint32_t{1} << static_cast<unsigned>(type);
}

// As edxl_rm_messages.xsd says it: preceding, funding, items, answer, resource, status, availability, task, quantity, price,
// order, instructions; the schedule types that it lacks.
constexpr std::array<MessageShape, 16> kShapes = {{
    {R::RequestResource, no, may, must, no, must, no, false, may, may, no, no, no,
     bit(S::EstimatedArrival) | bit(S::ActualArrival) | bit(S::EstimatedDeparture) | bit(S::ActualDeparture) |
         bit(S::RequestedReturnDeparture) | bit(S::ActualReturnDeparture) | bit(S::RequestedReturnArrival) |
         bit(S::ActualReturnArrival) | bit(S::BeginAvailable) | bit(S::EndAvailable) | bit(S::Committed) | bit(S::Current)},
    {R::ResponseToRequestResource, must, may, must, must, may, may, true, may, may, may, no, may,
     bit(S::ActualArrival) | bit(S::ActualDeparture) | bit(S::ActualReturnDeparture) | bit(S::EstimatedReturnArrival) |
         bit(S::ActualReturnArrival) | bit(S::Committed) | bit(S::Current)},
    {R::RequisitionResource, may, must, must, no, must, no, false, must, must, may, no, may,
     bit(S::ActualArrival) | bit(S::ActualDeparture) | bit(S::RequestedReturnDeparture) | bit(S::ActualReturnDeparture) |
         bit(S::RequestedReturnArrival) | bit(S::ActualReturnArrival) | bit(S::BeginAvailable) | bit(S::EndAvailable) |
         bit(S::Committed) | bit(S::Current)},
    {R::CommitResource, must, may, must, must, may, may, false, may, must, may, may, may,
     bit(S::ActualArrival) | bit(S::ActualReturnDeparture) | bit(S::ActualReturnArrival)},
    {R::RequestInformation, may, may, may, no, may, may, true, may, may, may, may, may, 0},
    {R::ResponseToRequestInformation, must, may, may, may, may, may, true, may, may, may, may, may, 0},
    {R::OfferUnsolicitedResource, no, no, must, no, must, may, true, may, may, may, no, may,
     bit(S::RequestedArrival) | bit(S::ActualArrival) | bit(S::RequestedDeparture) | bit(S::ActualDeparture) |
         bit(S::EstimatedReturnDeparture) | bit(S::ActualReturnDeparture) | bit(S::EstimatedReturnArrival) |
         bit(S::ActualReturnArrival) | bit(S::Committed) | bit(S::Current) | bit(S::ReportTo)},
    {R::ReleaseResource, may, may, must, may, must, may, true, may, must, may, may, may, bit(S::ActualReturnArrival)},
    {R::RequestReturn, may, may, must, no, must, may, true, may, may, may, may, may,
     bit(S::EstimatedReturnDeparture) | bit(S::ActualReturnDeparture) | bit(S::EstimatedReturnArrival) |
         bit(S::ActualReturnArrival) | bit(S::Current)},
    {R::ResponseToRequestReturn, must, may, must, must, may, must, true, may, may, may, may, may, bit(S::ActualReturnArrival)},
    {R::RequestQuote, may, may, must, may, must, no, false, may, may, no, no, may,
     bit(S::EstimatedArrival) | bit(S::ActualArrival) | bit(S::EstimatedDeparture) | bit(S::ActualDeparture) |
         bit(S::RequestedReturnDeparture) | bit(S::ActualReturnDeparture) | bit(S::RequestedReturnArrival) |
         bit(S::ActualReturnArrival) | bit(S::BeginAvailable) | bit(S::EndAvailable) | bit(S::Committed) | bit(S::Current)},
    {R::ResponseToRequestQuote, must, may, must, must, may, may, true, may, may, must, no, may,
     bit(S::ActualArrival) | bit(S::ActualDeparture) | bit(S::ActualReturnDeparture) | bit(S::ActualReturnArrival) |
         bit(S::Committed) | bit(S::Current)},
    {R::RequestResourceDeploymentStatus, may, may, must, no, must, no, false, may, may, may, may, may, bit(S::Current)},
    {R::ReportResourceDeploymentStatus, may, may, must, may, may, may, true, may, may, may, may, may, 0},
    {R::RequestExtendedDeploymentDuration, may, may, must, no, must, may, true, may, may, may, may, no,
     bit(S::ActualReturnDeparture) | bit(S::ActualReturnArrival) | bit(S::BeginAvailable) | bit(S::EndAvailable) |
         bit(S::Current)},
    {R::ResponseToRequestExtendedDeploymentDuration, must, may, must, must, may, may, true, may, may, may, may, may,
     bit(S::ActualReturnDeparture) | bit(S::ActualReturnArrival) | bit(S::BeginAvailable) | bit(S::Current)},
}};

}  // namespace

const MessageShape& shape_of(ResourceMessage message) {
  return kShapes.at(static_cast<std::size_t>(message));
}

bool has_schedule(const MessageShape& shape, ScheduleType type) {
  return (shape.lacks & bit(type)) == 0;
}

}  // namespace lianxi::formats
