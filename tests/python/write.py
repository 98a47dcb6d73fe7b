"""Writes a small archive from FORMAT.md alone: write.py FILE.actum

Shares nothing with the Rust writer. The archive is the same at every run; it is checked in as
eventstore/verify/golden/python-written.actum.
"""
import hashlib
import struct
import sys
from base64 import b64encode

import lz4.block
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NONE, SYSTEM, ORIGIN = 2**64 - 1, 2**63, "example.org/python"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
KEYS = {purpose: blake3(b"", derive_key_context="actum 2026 log format 1 " + purpose).digest()
        for purpose in ("salt", "payload", "event", "chain", "block", "genesis", "frame")}


def H(purpose, data, length=32):
    return blake3(data, key=KEYS[purpose]).digest(length)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def tree_root(leaves):
    """RFC 6962 section 2.1, as it is written there."""
    if len(leaves) < 2:
        return sha(b"\0", leaves[0]) if leaves else sha()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha(b"\1", tree_root(leaves[:split]), tree_root(leaves[split:]))


def frontier(leaves):
    """Roots of the perfect subtrees, largest first."""
    roots, start = [], 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            roots.append(tree_root(leaves[start:start + (1 << bit)]))
            start += 1 << bit
    return roots


def frame(kind, body, partition=0, count=0, seq=0, compress=False):
    stored = lz4.block.compress(body, store_size=False) if compress else body
    head = struct.pack("<BBHIIIQ", kind, compress, partition, len(stored), len(body), count, seq)
    return head + H("frame", head + stored, 16) + stored


def extensions(**fields):
    return b"".join(struct.pack("<BH", int(name[1:]), len(value)) + value for name, value in fields.items())


class Partition:
    def __init__(self, number, genesis_hash):
        self.number, self.last_hash, self.blocks = number, genesis_hash, 0
        self.leaves, self.streams, self.events = [], {}, {}
        self.time = 1_700_000_000_000_000_000

    def block(self, events, epoch, chunk_sizes, compress=False):
        """events: (stream, payload, options); the block record is put before them."""
        first = len(self.leaves)
        secret = blake3(b"secret %d %d" % (self.number, self.blocks)).digest()
        name = f"{ORIGIN}/{self.number}"
        key_id = sha(name.encode(), b"\n\1", PUBLIC)[:4]
        boot = blake3(b"boot %d" % epoch).digest(16)
        block_record = struct.pack("<32sQQ16sqQ4s12x", self.last_hash, self.blocks, epoch, boot,
                                   self.time - 5, 1000 * self.blocks, key_id)
        events = [(SYSTEM, block_record, dict(kind=1, actor=0))] + events
        salts = H("salt", secret, 16 * len(events))
        before_leaves, before, records = list(self.leaves), {}, []
        for index, (stream, payload, options) in enumerate(events):
            version, previous, chain = state = self.streams.get(stream, (0, NONE, bytes(32)))
            before.setdefault(stream, state)
            ext = options.get("ext", b"")
            if options.get("root"):
                ext += extensions(_7=tree_root(self.events.get(stream, [])))
            flags = options.get("terminal", 0) | 2 * options.get("ciphertext", 0)
            self.time += options.get("later", 0)
            seq = len(self.leaves)
            header = struct.pack("<IHHHHIQQQQQQ", 64 + len(ext) + len(payload), options.get("kind", 256), 1, flags, len(ext),
                                 options.get("actor", 3), seq, stream, self.time, previous, options.get("cause", NONE), version + 1)
            p = H("payload", salts[16 * index:16 * index + 16] + payload)
            e = H("event", header + ext + p)
            chain = H("chain", chain + e)
            self.leaves.append(chain + struct.pack("<QQ", seq, version + 1))
            self.streams[stream] = (version + 1, seq, chain)
            self.events.setdefault(stream, []).append(e)
            records.append(header + ext + payload)
        root, old = tree_root(self.leaves), frontier(before_leaves)
        body = struct.pack("<HHIQQQ32s32sIIII", self.number, 1, len(records), self.blocks, first, sum(map(len, records)),
                           root, secret, len(chunk_sizes), len(before), len(old), 0)
        body += b"".join(old)
        body += b"".join(struct.pack("<QQQ32s", stream, *state) for stream, state in sorted(before.items()))
        block_hash = H("block", body)
        text = f"{name}\n{len(self.leaves)}\n{b64encode(root).decode()}\nactum-block {self.blocks} {b64encode(block_hash).decode()}\n"
        signature = b64encode(key_id + KEY.sign(text.encode())).decode()
        seal = f"{text}\n— {name} {signature}\n".encode()
        frames, start = [], 0
        for size in chunk_sizes:
            chunk = records[start:start + size]
            frames.append(frame(2, b"".join(chunk), self.number, len(chunk), first + start, compress))
            start += size
        assert start == len(records)
        frames.append(frame(3, body + struct.pack("<I", len(seal)) + seal, self.number, 0, len(self.leaves) - 1))
        self.last_hash, self.blocks = block_hash, self.blocks + 1
        return frames


def archive():
    genesis = (f"actum-genesis 1\nlog {bytes(range(16)).hex()}\norigin {ORIGIN}\ncreated 1700000000000000000\n"
               f"clock real\npartitions 2\nkey {PUBLIC.hex()}\nnext {sha(b'next key').hex()}\n").encode()
    zero, one = Partition(0, H("genesis", genesis)), Partition(1, H("genesis", genesis))
    frames = [frame(1, genesis)]
    frames += zero.block([
        (1, b"", dict(ext=extensions(_1=bytes(16), _2="Auftrag 7 für Zoë".encode()), later=7)),
        (2, b"x", dict(later=1)),
        (1, b"odd" * 11, dict(cause=1, ext=extensions(_3=struct.pack("<I", 9), _4=bytes(range(24))))),
        (SYSTEM + 4, b"directory", dict(actor=0)),
        (2**63 - 1, b"one event only", dict(terminal=1, root=True)),
    ], epoch=1, chunk_sizes=[1, 3, 2])
    frames += one.block([
        (5, b"sealed away", dict(ciphertext=1, ext=extensions(_5=bytes(16), _6=struct.pack("<HQ", 0, 3), _200=b"?"))),
    ], epoch=1, chunk_sizes=[2], compress=True)
    frames += zero.block([
        (1, bytes(1009), dict(later=1000)),
        (2, b"the end of 2", dict(terminal=1)),
        (1, bytes(1008) + b"long", dict(cause=6)),
        (9, b"", {}), (9, b"", {}), (9, b"", {}), (9, b"", {}), (9, b"last of 9", dict(terminal=1, root=True)),
    ], epoch=1, chunk_sizes=[4, 5], compress=True)
    frames += zero.block([
        (7, b"y" * 97, dict(later=3)),
        (1, b"the end of 1", dict(terminal=1, root=True, ext=extensions(_1=bytes([9]) * 16))),
    ], epoch=3, chunk_sizes=[3])
    counts = b"".join(struct.pack("<H6xQQ", p.number, p.blocks, len(p.leaves)) for p in (zero, one))
    frames.append(frame(4, counts + struct.pack("<Q", len(frames))))
    return b"ACTUM ARCHIVE 1\n" + b"".join(frames), zero


if __name__ == "__main__":
    data, partition = archive()
    open(sys.argv[1], "wb").write(data)
    print(f"{len(data)} bytes, block hash {b64encode(partition.last_hash).decode()}, root {b64encode(tree_root(partition.leaves)).decode()}")
