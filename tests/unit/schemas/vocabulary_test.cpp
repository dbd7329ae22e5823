#include "schemas/vocabulary.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lianxi {
namespace {

template <class E>
class Vocabulary : public testing::Test {};
using Vocabularies =
    testing::Types<Kind, Status, Level, MsgType, Scope, Category, ResponseType, Urgency, Severity, Certainty, ReportType,
                   IncidentClass, IncidentState, ResourceType, ResourceState, ResourceChange, AlertState, Lane, RefusalCode>;
TYPED_TEST_SUITE(Vocabulary, Vocabularies);

TYPED_TEST(Vocabulary, EveryNumberHasItsOwnWordThatReadsBack) {
  std::set<std::string> words;
  std::uint64_t number = 0;
  for (; is_known<TypeParam>(number); ++number) {
    const auto value = static_cast<TypeParam>(number);
    const std::string word(to_word(value));
    EXPECT_FALSE(word.empty());
    EXPECT_TRUE(words.insert(word).second) << word;
    EXPECT_EQ(parse_word<TypeParam>(word).value(), value);
  }
  EXPECT_GE(number, 3U);
  EXPECT_FALSE(is_known<TypeParam>(number));
  EXPECT_FALSE(is_known<TypeParam>(255));
  EXPECT_EQ(to_word(static_cast<TypeParam>(255)), "unknown");
}

TYPED_TEST(Vocabulary, AWrongWordIsRefusedWithTheRightOnes) {
  const auto refused = parse_word<TypeParam>("no such word");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, RefusalCode::invalid_field);
  EXPECT_NE(refused.error().reason.find(to_word(static_cast<TypeParam>(1))), std::string::npos);
}

TEST(Words, StandOnTheirEnumerators) {
  EXPECT_EQ(to_word(Kind::redaction), "redaction");
  EXPECT_EQ(to_word(Kind::call_out), "call_out");
  EXPECT_EQ(to_word(Status::Draft), "Draft");
  EXPECT_EQ(to_word(Level::blue), "blue");
  EXPECT_EQ(to_word(Category::CBRNE), "CBRNE");
  EXPECT_EQ(to_word(ResponseType::None), "None");
  EXPECT_EQ(to_word(IncidentClass::social_security), "social_security");
  EXPECT_EQ(to_word(ResourceType::site), "site");
  EXPECT_EQ(to_word(AlertState::dangling), "dangling");
  EXPECT_EQ(to_word(RefusalCode::malformed), "malformed");
  EXPECT_EQ(to_word(RefusalCode::cap_rule), "cap_rule");
  EXPECT_EQ(to_word(RefusalCode::internal), "internal");
  EXPECT_EQ(to_word(Lane::bulk), "bulk");
}

TEST(Words, CaseCounts) {
  EXPECT_FALSE(parse_word<Status>("actual"));
  EXPECT_FALSE(parse_word<Level>("Red"));
}

TEST(Words, SeverityGivesTheColour) {
  EXPECT_EQ(level_of(Severity::Extreme), Level::red);
  EXPECT_EQ(level_of(Severity::Severe), Level::orange);
  EXPECT_EQ(level_of(Severity::Moderate), Level::yellow);
  EXPECT_EQ(level_of(Severity::Minor), Level::blue);
  EXPECT_EQ(level_of(Severity::Unknown), Level::none);
}

TEST(Words, ScreensSpeakChinese) {
  EXPECT_EQ(to_chinese(Level::red), "红色");
  EXPECT_EQ(to_chinese(ResourceType::shelter), "避灾安置场所");
  EXPECT_EQ(to_chinese(ReportType::final), "终报");
  EXPECT_EQ(to_chinese(Status::Exercise), "演练");
}

}  // namespace
}  // namespace lianxi
