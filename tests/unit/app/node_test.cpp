#include "broker/app/node.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "schemas/codec/event_codec.h"
#include "tests/sim/sim_vfs.h"

namespace lianxi::app {
namespace {

const RegionCode kQuzhou{330800};

class NodeTest : public ::testing::Test {
 protected:
  NodeTest() : disk_("node-test", 1) {
    std::string name = (std::filesystem::temp_directory_path() / "lianxi-node-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    core::Member member;
    member.region = kQuzhou;
    config_.seal_keys = seal_keys_from_seed(Hash{9});
    member.seal_key = config_.seal_keys.public_key;
    core::Grant all;
    all.agents = "*.*.*";
    all.publish.push_back({});
    all.follow.push_back({});
    config_.region = kQuzhou;
    config_.software = "test";
    config_.journal = {folder_ + "/journal", disk_.name(), kJournalFileBytes, true};
    config_.view = {folder_ + "/view.db", disk_.name()};
    config_.policy = std::make_shared<const core::Policy>(std::vector{all});
    config_.members = std::make_shared<const core::Members>(std::vector{member}, std::vector<core::Group>{});
    config_.fresh_incarnation = Incarnation(77);
    open();
  }
  ~NodeTest() override {
    node_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    auto node = Node::open(config_, 1000);
    ASSERT_TRUE(node) << node.error().detail;
    node_ = std::move(*node);
    view_ = node_->take_view();
  }
  void reopen() {
    view_.reset();
    node_.reset();
    open();
  }
  // Flips the first byte of the segment that holds the first event, behind the node's back.
  void damage_the_first_segment() {
    view_.reset();
    node_.reset();
    {
      SQLite::Database file(folder_ + "/journal/000001.db", SQLite::OPEN_READWRITE, 0, disk_.name());
      file.exec("UPDATE segment SET bytes = CAST(x'ff' || substr(bytes, 2) AS BLOB) WHERE offset = 1");
    }
    open();
  }
  void crash_and_reopen() {
    disk_.kill();
    view_.reset();
    node_.reset();
    disk_.restart_after_power_cut();
    open();
  }

  store::StoreResult<TurnOutput> turn(std::vector<Message> messages) {
    std::vector<core::Input> inputs;
    const core::Agent agent{*AgentId::parse("330800.police.a"), "police", core::Role::agent};
    for (Message& message : messages) inputs.push_back({++now_, core::AgentMessage{{1, "c"}, agent, std::move(message)}});
    said_.clear();
    return node_->turn(now_, Hash{3}, inputs, [this](const core::Connection&, const Message& message) {
      said_.push_back(message);
      return answer_;
    });
  }
  static Publish publish(std::uint64_t sequence) {
    Event event;
    event.envelope.kind = Kind::incident;
    event.envelope.entity = incident_entity(kQuzhou, "case-1");
    event.envelope.place = PlaceCode::of(kQuzhou);
    event.envelope.agency = "police";
    event.envelope.audience = Audience::conference();
    IncidentReport report;
    report.case_reference = "case-1";
    report.title = "report " + std::to_string(sequence);
    event.body = report;
    Publish out;
    out.session = SessionId(5);
    out.lane = Lane::normal;
    out.first_sequence = Sequence(sequence);
    out.events = {encode_event(event)};
    return out;
  }
  [[nodiscard]] Hello hello() const {
    Hello out;
    out.session = SessionId(5);
    return out;
  }
  template <class T>
  [[nodiscard]] std::vector<T> said() const {
    std::vector<T> out;
    for (const Message& message : said_) {
      if (const T* one = std::get_if<T>(&message)) out.push_back(*one);
    }
    return out;
  }

  sim::SimDisk disk_;
  std::string folder_;
  NodeConfig config_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<store::View> view_;
  TimeMs now_ = 1'604'880'000'000;
  SendResult answer_ = SendResult::sent;
  std::vector<Message> said_;
};

TEST_F(NodeTest, AReceiptSurvivesAPowerCutAndIsTheSameWhenAskedAgain) {
  ASSERT_TRUE(turn({hello(), publish(1)}));
  const std::vector<Answers> first = said<Answers>();
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(first[0].receipts.size(), 1U);
  crash_and_reopen();
  ASSERT_TRUE(turn({hello(), publish(1)}));
  EXPECT_TRUE(said<Welcome>()[0].session_known);
  EXPECT_EQ(said<Answers>(), first);
}

TEST_F(NodeTest, ANamedCursorStandsWhereItStoodAfterARestart) {
  ASSERT_TRUE(turn({hello(), publish(1), publish(2)}));
  Follow named;
  named.follow = SessionId(8);
  named.from = FollowFrom::named;
  named.cursor_name = "desk";
  named.credit_bytes = 100'000;
  named.credit_messages = 10;
  ASSERT_TRUE(turn({named}));
  ASSERT_EQ(said<Followed>().size(), 1U);
  EXPECT_EQ(said<Followed>()[0].offset, Offset(1));
  const Offset head = said<Followed>()[0].head;
  ASSERT_TRUE(turn({}));  // the core hears that the delivery was sent
  Credit done;
  done.follow = SessionId(8);
  done.bytes = 1;
  done.messages = 1;
  done.offset = head;
  ASSERT_TRUE(turn({done, Unfollow{SessionId(8), "the shift is over"}}));
  reopen();
  ASSERT_TRUE(turn({hello(), named}));
  ASSERT_EQ(said<Followed>().size(), 1U);
  EXPECT_EQ(said<Followed>()[0].offset, head);
}

TEST_F(NodeTest, NothingIsSaidOfATurnWhoseCommitFails) {
  std::uint64_t failed = 0;
  for (std::uint64_t operation = 0; operation < 40; ++operation) {
    disk_.set_fuse(operation);
    const auto out = turn({hello(), publish(operation + 1)});
    if (out) break;
    ++failed;
    EXPECT_TRUE(said_.empty()) << "at operation " << operation;
    crash_and_reopen();
  }
  EXPECT_GT(failed, 2U);
}

TEST_F(NodeTest, EverySegmentOfACommitCarriesTheSealOfItsHead) {
  const auto out = turn({hello(), publish(1), publish(2)});
  ASSERT_TRUE(out);
  ASSERT_EQ(out->committed.size(), 1U);
  ASSERT_TRUE(out->committed[0]->seal());
  const Result<Segment> segment = Segment::parse(out->committed[0]->bytes());
  ASSERT_TRUE(segment);
  EXPECT_EQ(out->committed[0]->seal()->hash, segment->last().hash);
  EXPECT_TRUE(verify_seal(config_.seal_keys.public_key, segment->info().feed, *out->committed[0]->seal()));
}

TEST_F(NodeTest, AFollowerGetsWhatIsCommittedAndThenWhatComes) {
  ASSERT_TRUE(turn({hello(), publish(1)}));
  Follow follow;
  follow.follow = SessionId(8);
  follow.credit_bytes = 100'000;
  follow.credit_messages = 10;
  ASSERT_TRUE(turn({follow}));
  ASSERT_EQ(said<Deliver>().size(), 1U);
  EXPECT_EQ(said<Deliver>()[0].next, Offset(2));
  EXPECT_TRUE(said<Deliver>()[0].caught_up);
  EXPECT_FALSE(node_->more_to_deliver()) << "it stands at the head";
  ASSERT_TRUE(turn({publish(2)}));
  ASSERT_EQ(said<Deliver>().size(), 1U);
  EXPECT_EQ(said<Deliver>()[0].next, Offset(3));
  EXPECT_TRUE(std::holds_alternative<Answers>(said_[0])) << "the answer leaves before the delivery";
}

TEST_F(NodeTest, ADeliveryThatDoesNotFitTheSocketComesLater) {
  ASSERT_TRUE(turn({hello(), publish(1)}));
  Follow follow;
  follow.follow = SessionId(8);
  follow.credit_bytes = 100'000;
  follow.credit_messages = 10;
  answer_ = SendResult::full;
  ASSERT_TRUE(turn({follow}));
  EXPECT_FALSE(node_->more_to_deliver()) << "a full socket is not asked again at once";
  ASSERT_TRUE(turn({}));
  answer_ = SendResult::sent;
  std::vector<core::Input> tick{{++now_, core::Tick{}}};
  std::size_t deliveries = 0;
  ASSERT_TRUE(node_->turn(now_, Hash{3}, tick, [&](const core::Connection&, const Message& message) {
    if (std::holds_alternative<Deliver>(message)) ++deliveries;
    return SendResult::sent;
  }));
  EXPECT_EQ(deliveries, 1U);
}

TEST_F(NodeTest, ASegmentThatDoesNotReadEndsTheFollowThatNeedsItAndNothingElse) {
  ASSERT_TRUE(turn({hello(), publish(1)}));
  ASSERT_TRUE(turn({publish(2)}));  // the newest segment of a feed is read at start
  reopen();                         // the view stands at the head: only followers will read what is damaged
  damage_the_first_segment();
  Follow tail;
  tail.follow = SessionId(8);
  tail.from = FollowFrom::now;
  tail.credit_bytes = 100'000;
  tail.credit_messages = 10;
  Follow all = tail;
  all.follow = SessionId(9);
  all.from = FollowFrom::beginning;
  const auto out = turn({tail, all});
  ASSERT_TRUE(out) << out.error().detail;
  ASSERT_EQ(said<Unfollow>().size(), 1U);
  EXPECT_EQ(said<Unfollow>()[0].follow, SessionId(9));
  EXPECT_FALSE(said<Unfollow>()[0].reason.empty());
  ASSERT_EQ(out->alarms.size(), 1U);
  EXPECT_EQ(out->alarms[0].what, "journal_unreadable");
  ASSERT_EQ(out->counted.size(), 1U);
  EXPECT_EQ(out->counted[0].code, RefusalCode::internal);

  for (std::uint64_t sequence = 3; sequence < 5; ++sequence) {
    const auto later = turn({hello(), publish(sequence)});
    ASSERT_TRUE(later) << later.error().detail;
    EXPECT_EQ(later->committed.size(), 1U);
    EXPECT_TRUE(later->alarms.empty());
    ASSERT_EQ(said<Deliver>().size(), 1U);
    EXPECT_EQ(said<Deliver>()[0].follow, SessionId(8));
  }
  ASSERT_TRUE(turn({all}));
  EXPECT_EQ(said<Followed>().size(), 1U) << "the id of the ended follow is free again";
}

TEST_F(NodeTest, AJournalOfAnotherRegionIsRefused) {
  view_.reset();
  node_.reset();
  config_.region = RegionCode(341000);
  const auto node = Node::open(config_, 1000);
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().code, store::StoreError::wrong_node);
}

}  // namespace
}  // namespace lianxi::app
