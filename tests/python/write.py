"""Writes a small archive from FORMAT.md alone: write.py FILE.actum [--rotated]

Shares nothing with the Rust writer. The archives are the same at every run; they are checked in as
eventstore/verify/golden/python-written.actum and, with rotations, a revocation and checkpoints, python-rotated.actum.
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
SIGNERS = [Ed25519PrivateKey.from_private_bytes(bytes(range(first, first + 32))) for first in (0, 1, 2)]
PUBLICS = [signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) for signer in SIGNERS]
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
        self.time, self.ended = 1_700_000_000_000_000_000, set()

    def checkpoint(self):
        """The event that a checkpoint in the next block is."""
        leaves = [struct.pack("<QQ32sB", stream, version, chain, stream in self.ended)
                  for stream, (version, _, chain) in sorted(self.streams.items()) if stream != SYSTEM]
        payload = struct.pack("<QQ32s", len(self.leaves), len(leaves), tree_root(leaves)) + b"of Python"
        return SYSTEM + 7, payload, dict(kind=4, actor=0)

    def block(self, events, epoch, chunk_sizes, compress=False, signers=(0,)):
        """events: (stream, payload, options); the block record is put before them. signers: whose lines the seal has."""
        first = len(self.leaves)
        secret = blake3(b"secret %d %d" % (self.number, self.blocks)).digest()
        name = f"{ORIGIN}/{self.number}"
        key_ids = [sha(name.encode(), b"\n\1", public)[:4] for public in PUBLICS]
        boot = blake3(b"boot %d" % epoch).digest(16)
        block_record = struct.pack("<32sQQ16sqQ4s12x", self.last_hash, self.blocks, epoch, boot,
                                   self.time - 5, 1000 * self.blocks, key_ids[signers[0]])
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
            self.ended |= {stream} if options.get("terminal") else set()
            records.append(header + ext + payload)
        root, old = tree_root(self.leaves), frontier(before_leaves)
        body = struct.pack("<HHIQQQ32s32sIIII", self.number, 1, len(records), self.blocks, first, sum(map(len, records)),
                           root, secret, len(chunk_sizes), len(before), len(old), 0)
        body += b"".join(old)
        body += b"".join(struct.pack("<QQQ32s", stream, *state) for stream, state in sorted(before.items()))
        block_hash = H("block", body)
        text = f"{name}\n{len(self.leaves)}\n{b64encode(root).decode()}\nactum-block {self.blocks} {b64encode(block_hash).decode()}\n"
        signatures = [key_ids[signer] + SIGNERS[signer].sign(text.encode()) for signer in signers]
        seal = (text + "\n" + "".join(f"— {name} {b64encode(data).decode()}\n" for data in signatures)).encode()
        frames, start = [], 0
        for size in chunk_sizes:
            chunk = records[start:start + size]
            frames.append(frame(2, b"".join(chunk), self.number, len(chunk), first + start, compress))
            start += size
        assert start == len(records)
        frames.append(frame(3, body + struct.pack("<I", len(seal)) + seal, self.number, 0, len(self.leaves) - 1))
        self.last_hash, self.blocks = block_hash, self.blocks + 1
        return frames


def genesis_text(partitions, next_key):
    return (f"actum-genesis 1\nlog {bytes(range(16)).hex()}\norigin {ORIGIN}\ncreated 1700000000000000000\n"
            f"clock real\npartitions {partitions}\nkey {PUBLICS[0].hex()}\nnext {sha(next_key).hex()}\n").encode()


def rotation(old, following):
    """From one key to the one after it, which commits to the one that follows."""
    return SYSTEM + 2, PUBLICS[old] + PUBLICS[old + 1] + following, dict(kind=2, actor=0)


def revocation(key):
    return SYSTEM + 2, PUBLICS[key] + "verloren, für immer".encode(), dict(kind=3, actor=0)


def finish(frames, partitions):
    counts = b"".join(struct.pack("<H6xQQ", p.number, p.blocks, len(p.leaves)) for p in partitions)
    frames.append(frame(4, counts + struct.pack("<Q", len(frames))))
    return b"ACTUM ARCHIVE 1\n" + b"".join(frames), partitions[0]


def rotated_archive():
    genesis = genesis_text(1, PUBLICS[1])
    zero = Partition(0, H("genesis", genesis))
    frames = [frame(1, genesis)]
    frames += zero.block([zero.checkpoint(), (1, b"before", {}), (2, b"short", dict(terminal=1))], 1, [4])
    frames += zero.block([(1, b"on", {}), rotation(0, sha(PUBLICS[2])), zero.checkpoint()], 1, [2, 2], signers=(0, 1))
    frames += zero.block([(3, b"by the second key", {}), revocation(0)], 2, [3], True, signers=(1,))
    frames += zero.block([rotation(1, bytes(32)), revocation(1)], 2, [3], signers=(2,))
    frames += zero.block([(1, b"by the third key", dict(terminal=1, root=True)), zero.checkpoint()], 2, [3], signers=(2,))
    return finish(frames, [zero])


def archive():
    genesis = genesis_text(2, b"next key")
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
    return finish(frames, [zero, one])


if __name__ == "__main__":
    data, partition = rotated_archive() if "--rotated" in sys.argv[2:] else archive()
    open(sys.argv[1], "wb").write(data)
    print(f"{len(data)} bytes, block hash {b64encode(partition.last_hash).decode()}, root {b64encode(tree_root(partition.leaves)).decode()}")
