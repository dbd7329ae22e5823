#!/usr/bin/env python3
"""The chain of the golden segment, checked by schemas/README.md and Python's own BLAKE2b alone: whoever doubts the node's
programs can check a journal without them."""
import hashlib
import os
import struct
import sys
import unittest

GOLDEN = sys.argv.pop(1)


def records_of(data):
    """(feed bytes, hash before, [record]) of the segment at the front."""
    assert data[:4] == b"LXSG"
    version, _, region, epoch, lane, audience_length = struct.unpack_from("<HHIIBB", data, 4)
    assert version == 1
    (count,) = struct.unpack_from("<I", data, 20)
    audience = data[80:80 + audience_length]
    feed = struct.pack("<IIBB", region, epoch, lane, audience_length) + audience
    at = 80 + (audience_length + 7) // 8 * 8 + 8
    records = []
    for _ in range(count):
        (length,) = struct.unpack_from("<I", data, at)
        records.append(data[at:at + length])
        at += length
    return feed, data[48:80], records


def check_record(feed, before, record):
    """Digest and chain hash as computed here, and as stored."""
    publisher_length, body_length = struct.unpack_from("<HI", record, 10)
    sequence, ordinal, time, session, session_sequence = struct.unpack_from("<QQQQQ", record, 16)
    salt, digest, stored = record[56:72], record[72:104], record[104:136]
    publisher = record[136:136 + publisher_length]
    body_at = 136 + (publisher_length + 7) // 8 * 8
    body = record[body_at:body_at + body_length]
    computed = hashlib.blake2b(body, digest_size=32, salt=salt, person=b"lianxi.body.1").digest()
    message = (before + feed + struct.pack("<QQQQQH", sequence, ordinal, time, session, session_sequence, publisher_length) +
               publisher + computed)
    return computed, digest, hashlib.blake2b(message, digest_size=32, person=b"lianxi.chain.1").digest(), stored


class Chain(unittest.TestCase):
    def test_the_golden_segment_follows_the_page(self):
        for name in ("sealed.segment", "stored.segment"):
            with open(os.path.join(GOLDEN, name), "rb") as file:
                feed, before, records = records_of(file.read())
            self.assertEqual(len(records), 3)
            for record in records:
                computed, digest, chained, stored = check_record(feed, before, record)
                self.assertEqual(computed, digest)
                self.assertEqual(chained, stored)
                before = stored

    def test_a_changed_body_does_not(self):
        with open(os.path.join(GOLDEN, "stored.segment"), "rb") as file:
            feed, before, records = records_of(file.read())
        bent = bytearray(records[0])
        bent[-20] ^= 1
        computed, digest, _, _ = check_record(feed, before, bytes(bent))
        self.assertNotEqual(computed, digest)


if __name__ == "__main__":
    unittest.main()
