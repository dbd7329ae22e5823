"""Takes the current away from a folder: reads what power_shim noted and undoes what was never synced.

A disk may lose all of it, or a part: each file is as of some moment since its last sync, its sectors of 512 or 4,096 bytes are
old or new one by one, its size is any that it had; names (made, removed, renamed) hold in their order up to some moment.
"""
import os
import pathlib
import random
import shutil
import struct

WRITE, TRUNCATE, CREATE, UNLINK, RENAME, MKDIR, SYNC_FILE, SYNC_FOLDER = range(1, 9)
HEAD = struct.Struct("=9Q")


class Note:
    def __init__(self, head, path, second, data):
        self.type, self.number, self.inode, self.at, self.old_size, self.length = head
        self.path, self.second, self.data = path, second, data


def read_notes(undo):
    raw = (undo / "notes").read_bytes() if (undo / "notes").exists() else b""
    notes, at = [], 0
    while at + HEAD.size <= len(raw):
        head = HEAD.unpack_from(raw, at)
        end = at + HEAD.size + sum(head[6:])
        if end > len(raw):
            break  # killed while it was noted: the change itself was not begun
        one = at + HEAD.size + head[6]
        two = one + head[7]
        notes.append(Note(head[:6], raw[at + HEAD.size:one].decode(), raw[one:two].decode(), raw[two:end]))
        at = end
    return notes


def unsynced(notes):
    """What no sync covers: changes of content by inode, changes of names by folder."""
    content, names = {}, {}
    for note in notes:
        if note.type in (WRITE, TRUNCATE):
            content.setdefault(note.inode, []).append(note)
        elif note.type in (CREATE, UNLINK, RENAME, MKDIR):
            names.setdefault(os.path.dirname(note.path), []).append(note)
        elif note.type == SYNC_FILE:
            content[note.inode] = [n for n in content.get(note.inode, []) if n.number > note.at]
        else:
            names[note.path] = [n for n in names.get(note.path, []) if n.number > note.at]
    return content, names


def undone(image, note):
    """The content before the change."""
    if note.type == WRITE:
        image[note.at:note.at + len(note.data)] = note.data
        if note.at + len(note.data) < len(image):
            # What it wrote beyond the file's end then: nothing stood there.
            end = min(len(image), note.at + note.length)
            image[note.at + len(note.data):end] = bytes(max(0, end - note.at - len(note.data)))
        del image[note.old_size:]
    else:
        del image[note.at:]
        image += bytes(max(0, note.at - len(image))) + note.data
        del image[note.old_size:]
    image += bytes(max(0, note.old_size - len(image)))
    return image


class Cut:
    def __init__(self, folder, undo, seed, lose_all):
        self.folder, self.undo = pathlib.Path(folder), pathlib.Path(undo)
        self.random, self.lose_all = random.Random(seed), lose_all
        self.lost = {"files": 0, "sectors": 0, "names": 0}

    def perform(self):
        content, names = unsynced(read_notes(self.undo))
        homes = {}
        for path in [*self.folder.rglob("*"), *self.undo.glob("inode-*")]:
            if path.is_file():
                homes.setdefault(path.stat().st_ino, path)
        for inode, changes in content.items():
            if changes and inode in homes:
                self._content(homes[inode], changes)
        for path in self.folder.rglob("*-shm"):
            path.unlink()
        for folder in sorted(names, reverse=True):
            self._names(names[folder])
        shutil.rmtree(self.undo)
        return self.lost

    def _content(self, path, changes):
        now = bytearray(path.read_bytes())
        moment = 0 if self.lose_all else self.random.randrange(len(changes) + 1)
        image = now
        for note in reversed(changes[moment:]):
            image = undone(image, note)
        seen, sizes = bytes(image), [len(image)]
        for note in reversed(changes[:moment]):
            image = undone(image, note)
            sizes.append(len(image))
        self.lost["files"] += 1
        if not self.lose_all and moment > 0:
            self._mix(image, seen, self.random.choice((512, 4096)), changes[:moment])
            size = self.random.choice(sizes)
            del image[size:]
            image += bytes(size - len(image))
        with open(path, "r+b") as file:  # the same inode: it may have two names
            file.write(image)
            file.truncate(len(image))

    def _mix(self, image, seen, sector, changes):
        """Sectors of `seen` into `image`, one by one as it happens; sometimes all of them, sometimes none."""
        share = self.random.choice((0.0, 0.5, 0.9, 1.0))
        touched = set()
        for note in changes:
            end = note.at + note.length if note.type == WRITE else max(note.at, note.old_size)
            touched.update(range(note.at // sector, (end + sector - 1) // sector))
        image += bytes(max(0, len(seen) - len(image)))
        for at in touched:
            begin, end = at * sector, min((at + 1) * sector, len(seen))
            if begin >= end:
                continue
            if self.random.random() < share:
                image[begin:end] = seen[begin:end]
            else:
                self.lost["sectors"] += 1

    def _names(self, changes):
        kept = 0 if self.lose_all else self.random.randrange(len(changes) + 1)
        for note in reversed(changes[kept:]):
            self.lost["names"] += 1
            path = pathlib.Path(note.path)
            if note.type == CREATE:
                path.unlink(missing_ok=True)
            elif note.type == MKDIR:
                shutil.rmtree(path, ignore_errors=True)
            elif note.type == UNLINK:
                if not path.exists():
                    os.link(self.undo / f"inode-{note.inode}", path)
            elif pathlib.Path(note.second).exists() and pathlib.Path(note.second).stat().st_ino == note.inode:
                os.rename(note.second, path)
                if note.at:
                    os.link(self.undo / f"inode-{note.at}", note.second)
