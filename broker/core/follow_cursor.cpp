// Named cursors in use: one follow of an agent moves a cursor at a time.
#include <algorithm>

#include "broker/core/followers.h"
#include "schemas/limits.h"

namespace lianxi::core {

// What is started anew takes the cursor over, and the follow before it ends with a word: what somebody restarts at night works
// at once, however long the old connection still looks alive. A follow that comes back after a cut (same id) goes on; but it
// takes nothing from another that began meanwhile.
Result<Offset> Followers::take_cursor(Turn& turn, const AgentMessage& from, const Follow& follow, Offset start) {
  const CursorKey name{from.agent.id, follow.cursor_name};
  if (const auto held = moved_by_.find(name); held != moved_by_.end()) {
    const Key before = held->second;
    const bool same = before.second == follow.follow;
    if (!same && follow.from == FollowFrom::cursor)
      return refuse(RefusalCode::conflict, "cursor_name",
                    "another follow of " + from.agent.id.text() + " has begun on the cursor " + follow.cursor_name +
                        "; end that one, or follow under another name");
    if (!same)
      turn.refuse(before.first, {before.second,
                                 0,
                                 Lane::flash,
                                 {RefusalCode::conflict, "cursor_name",
                                  "another follow of this agent took over the cursor " + follow.cursor_name, 0}});
    drop(followers_.find(before));
    forget_contact(before.first);
  }
  const auto in_use = [&](const CursorKey& key) { return moved_by_.contains(key); };
  // A follow that comes back may have been sent more than it is done with: its cursor stays behind until it says so. One that
  // wishes to go back takes the cursor along.
  const Offset kept = cursors_.find(name).value_or(start);
  const bool by_place = follow.from == FollowFrom::cursor;
  const Offset at = by_place ? std::min(start, kept) : follow.from == FollowFrom::named ? std::max(start, kept) : start;
  if (!cursors_.begin(name, at, turn.now, in_use))
    return refuse(RefusalCode::too_many_followers, "cursor_name",
                  "this agent has " + std::to_string(kMaxCursorsPerAgent) + " named cursors, all in use");
  moved_by_[name] = Key{from.connection, follow.follow};
  return at;
}

void Followers::done_with(const Turn& turn, Follower& follower, Offset offset) {
  if (follower.cursor_name.empty()) return;
  // Part of what is under way may be there already.
  const Offset sent = follower.under_way ? std::max(follower.said, follower.ordered_head) : follower.said;
  follower.done = std::max(follower.done, std::min(offset, sent));
  cursors_.move({follower.spec->agent.id, follower.cursor_name}, follower.done, turn.now);
}

void Followers::leave_cursor(const Key& key, const Follower& follower) {
  const auto held = moved_by_.find({follower.spec->agent.id, follower.cursor_name});
  if (held == moved_by_.end() || held->second != key) return;
  // Done with all it was sent: then also with what it was spared since.
  if (follower.done >= follower.said) cursors_.move(held->first, follower.cursor, TimeMs{0});
  moved_by_.erase(held);
  cursors_.hurry();
}

}  // namespace lianxi::core
