"""Verifies an archive from FORMAT.md alone: verify.py FILE.actum [--key VERIFIER_KEY]

Exit codes: 0 verified, 2 usage, 4 tampered (decodes, but contradicts a hash, signature, seal or link), 5 corrupt (does not decode).
Shares nothing with the Rust code. One thing after the other, as the page has it; no attempt at speed.
"""
import base64
import functools
import hashlib
import re
import struct
import sys

import lz4.block
from blake3 import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NONE, BLOCKS, MIB = 2**64 - 1, 2**63, 1 << 20
KEYS = {purpose: blake3(b"", derive_key_context="actum 2026 log format 1 " + purpose).digest()
        for purpose in ("salt", "payload", "event", "chain", "block", "genesis", "frame")}
GENESIS = re.compile(r"actum-genesis 1\nlog ([0-9a-f]{32})\norigin ([!-*,-~]{1,200})\ncreated (0|[1-9][0-9]*)\nclock (real|simulated)\n"
                     r"partitions ([1-9][0-9]{0,3})\nkey ([0-9a-f]{64})\nnext (none|[0-9a-f]{64})\n")
EXTENSION_BYTES = {1: 16, 3: 4, 4: 24, 5: 16, 6: 10, 7: 32}
# Encodings of the points of small order without their sign bit, and the group's order: strict Ed25519 refuses these, and S from L on.
P, Y8 = 2**255 - 19, 55188659117513257062467267217118295137698188065244968500265048394206261417927
SMALL_ORDER = {0, 1, P - 1, P, P + 1, Y8, P - Y8}
L = 2**252 + 27742317777372353535851937790883648493

class Fault(Exception):
    def __init__(self, code, what):
        super().__init__(("tampered: " if code == 4 else "corrupt: ") + what)
        self.code = code

def decodes(condition, what, code=5):
    if not condition:
        raise Fault(code, what)

def agrees(condition, what):
    decodes(condition, what, 4)

def H(purpose, data, length=32):
    return blake3(data, key=KEYS[purpose]).digest(length)

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

class Tree:
    """RFC 6962 tree of which only the perfect subtrees are kept, largest first."""
    def __init__(self):
        self.size, self.roots = 0, []
    def add(self, leaf):
        node, size = sha(b"\0", leaf), self.size
        while size & 1:
            node, size = sha(b"\1", self.roots.pop(), node), size >> 1
        self.roots.append(node)
        self.size += 1
    def root(self):
        return functools.reduce(lambda right, left: sha(b"\1", left, right), reversed(self.roots)) if self.roots else sha()

def attempt(what, errors, function, *arguments, code=5):
    try:
        return function(*arguments)
    except errors:
        raise Fault(code, what) from None

def unbase64(text, what):
    data = attempt(what, ValueError, base64.b64decode, text, None, True)
    decodes(base64.b64encode(data).decode() == text, what)
    return data

def key_id(name, public):
    return sha(name.encode(), b"\n\1", public)[:4]

def read_frame(file, where):
    head = file.read(40)
    decodes(len(head) == 40, f"{where}: the archive ends before its end frame")
    kind, encoding, partition, stored_bytes, raw_bytes, count, seq = struct.unpack("<BBHIIIQ", head[:24])
    most = {1: 64 << 10, 2: 8_454_144, 3: 16 * MIB, 4: 24 * 1024 + 8}.get(kind, 0)
    decodes(kind in (1, 2, 3, 4) and encoding < 2, f"{where}: no such frame")
    decodes((64 if kind == 2 else 1) <= raw_bytes <= most and 0 < stored_bytes <= raw_bytes + raw_bytes // 255 + 16, f"{where}: frame too long")
    decodes(encoding or stored_bytes == raw_bytes, f"{where}: lengths of a raw frame differ")
    decodes((0 < count <= 65_536) if kind == 2 else count == 0, f"{where}: wrong count")
    decodes(kind in (2, 3) or partition == seq == 0, f"{where}: this frame has partition and seq 0")
    stored = file.read(stored_bytes)
    decodes(len(stored) == stored_bytes, f"{where}: the archive ends in the middle of a frame")
    decodes(H("frame", head[:24] + stored, 16) == head[24:], f"{where}: the frame's checksum does not fit")
    decode = functools.partial(lz4.block.decompress, uncompressed_size=raw_bytes) if encoding else bytes
    raw = attempt(f"{where}: the frame does not decompress", lz4.block.LZ4BlockError, decode, stored)
    decodes(len(raw) == raw_bytes, f"{where}: the frame does not decompress to its length")
    return kind, partition, count, seq, raw

def read_extensions(data, where):
    found, last = {}, -1
    while data:
        decodes(len(data) >= 3, f"{where}: extension too short")
        kind, length = struct.unpack("<BH", data[:3])
        value, data = data[3:3 + length], data[3 + length:]
        decodes(kind > last and len(value) == length, f"{where}: extensions out of order or too long")
        decodes(length == EXTENSION_BYTES.get(kind, length), f"{where}: malformed extension")
        if kind == 2:
            decodes(length <= 512, f"{where}: business key too long")
            attempt(f"{where}: the business key is not UTF-8", UnicodeDecodeError, value.decode)
        found[kind], last = value, kind
    return found

class Partition:
    def __init__(self, number, log):
        self.number, self.log, self.last_hash = number, log, log.genesis_hash
        self.tree, self.blocks, self.time, self.epoch, self.boot = Tree(), 0, 0, 0, None
        self.streams = {}  # id -> version, previous, C, ended, tree of event hashes
        self.name = f"{log.origin}/{number}"
        self.key_id = key_id(self.name, log.public)
    def block(self, chunks, frame_seq, raw):
        where, first, frontier, self.before = f"block {self.blocks} of partition {self.number}", self.tree.size, list(self.tree.roots), {}
        decodes(len(raw) >= 112, f"{where}: body too short")
        (partition, version, n, number, first_seq, total, root, secret, k, s, f, zero) = struct.unpack("<HHIQQQ32s32sIIII", raw[:112])
        end = 112 + 32 * f + 56 * s
        decodes(version == 1 and zero == 0 and f == bin(first_seq).count("1") and len(raw) >= end + 4, f"{where}: malformed body")
        decodes(1 <= n <= 65_536 and s <= n and total <= 64 * MIB, f"{where}: more than a block holds")
        body, seal_bytes, seal = raw[:end], struct.unpack("<I", raw[end:end + 4])[0], raw[end + 4:]
        decodes(seal_bytes == len(seal) <= 64 << 10, f"{where}: malformed seal length")
        agrees((partition, number, first_seq, k) == (self.number, self.blocks, first, len(chunks)), f"{where}: another block belongs here")
        agrees(frame_seq == first + n - 1, f"{where}: the frame's seq is not that of the last record")
        block_hash = H("block", body)
        self.seal(seal, first + n, root, block_hash, where)
        agrees((n, total) == (sum(chunk[0] for chunk in chunks), sum(len(chunk[2]) for chunk in chunks)), f"{where}: other number or bytes of records")
        salts, index = H("salt", secret, 16 * n), 0
        for count, seq, chunk in chunks:
            agrees(seq == self.tree.size, f"{where}: a chunk with seq {self.tree.size} belongs here, not {seq}")
            for _ in range(count):
                decodes(len(chunk) >= 64, f"{where}, event {self.tree.size}: no record")
                length = struct.unpack("<I", chunk[:4])[0]
                decodes(64 <= length <= min(len(chunk), 8_454_144), f"{where}, event {self.tree.size}: malformed length")
                self.record(chunk[:length], index, salts[16 * index:16 * index + 16], where)
                chunk, index = chunk[length:], index + 1
            decodes(not chunk, f"{where}: a chunk holds more than its records")
        entries = b"".join(struct.pack("<QQQ32s", stream, *state) for stream, state in sorted(self.before.items()))
        agrees(body[112:112 + 32 * f] == b"".join(frontier), f"{where}: the frontier is not that of the tree before it")
        agrees(body[112 + 32 * f:] == entries, f"{where}: the stream index contradicts the log before it")
        agrees(self.tree.root() == root, f"{where}: the events do not hash to the root")
        self.last_hash, self.blocks = block_hash, self.blocks + 1
    def record(self, data, index, salt, block):
        seq = self.tree.size
        where = f"{block}, event {seq}"
        (_, kind, schema, flags, ext_len, actor, found, stream, time, previous, cause, version) = struct.unpack("<IHHHHIQQQQQQ", data[:64])
        decodes(kind and schema and flags < 4 and ext_len <= 4096 and 64 + ext_len <= len(data), f"{where}: malformed header")
        decodes(stream and (kind == 1) == (stream == BLOCKS) == (index == 0), f"{where}: wrong kind or stream")
        agrees(found == seq, f"{where}: seq {found} stands here")
        decodes(version and (cause == NONE or cause < seq), f"{where}: malformed version or cause")
        ext = read_extensions(data[64:64 + ext_len], where)
        decodes(not flags & 2 or 5 in ext, f"{where}: ciphertext without key id")
        decodes(flags & 1 or 7 not in ext, f"{where}: a stream root on a record that is not terminal")
        state = self.streams.get(stream, (0, NONE, bytes(32), False, Tree()))
        last_version, last_seq, chain, ended, events = state
        self.before.setdefault(stream, state[:3])
        agrees(not ended, f"{where}: its stream has ended")
        agrees(version == last_version + 1, f"{where}: version {version} where {last_version + 1} belongs")
        agrees(previous == last_seq, f"{where}: wrong previous")
        agrees(time >= self.time, f"{where}: time goes back")
        payload = data[64 + ext_len:]
        if index == 0:
            decodes((schema, actor, flags, cause, ext_len, len(payload)) == (1, 0, 0, NONE, 0, 96), f"{where}: malformed block record")
            before, number, epoch, boot, _, _, key, zero = struct.unpack("<32sQQ16sqQ4s12s", payload)
            decodes(epoch >= 1 and zero == bytes(12), f"{where}: malformed block record")
            agrees((before, number) == (self.last_hash, self.blocks), f"{where}: it names another predecessor or number")
            agrees(key == self.key_id, f"{where}: it names another key")
            agrees(epoch >= self.epoch and (self.boot is None or (epoch == self.epoch) == (boot == self.boot)), f"{where}: wrong epoch or boot id")
            self.epoch, self.boot = epoch, boot
        event = H("event", data[:64 + ext_len] + H("payload", salt + payload))
        agrees(7 not in ext or ext[7] == events.root(), f"{where}: the stream root does not fit the stream")
        events.add(event)
        chain, self.time = H("chain", chain + event), time
        self.streams[stream] = (version, seq, chain, bool(flags & 1), events)
        self.tree.add(chain + struct.pack("<QQ", seq, version))
    def seal(self, seal, size, root, block_hash, where):
        text, _, lines = attempt(f"{where}: malformed seal", UnicodeDecodeError, seal.decode).partition("\n\n")
        fields = text.split("\n")
        decodes(len(fields) == 4 and lines.endswith("\n") and lines.count("\n") <= 100, f"{where}: malformed seal")
        decodes(re.fullmatch("0|[1-9][0-9]*", fields[1]) and re.fullmatch("actum-block (0|[1-9][0-9]*) [^ ]{44}", fields[3]), f"{where}: malformed seal")
        roots = unbase64(fields[2], where), unbase64(fields[3].split(" ")[2], where)
        decodes(all(len(data) == 32 for data in roots), f"{where}: malformed seal")
        agrees(fields[:2] + [fields[3].split(" ")[1]] == [self.name, str(size), str(self.blocks)], f"{where}: the seal is of another block")
        agrees(roots == (root, block_hash), f"{where}: the seal has another root or block hash")
        for index, line in enumerate(lines[:-1].split("\n")):
            match = re.fullmatch(r"— ([^\s+]+) ([^ ]+)", line)
            decodes(match, f"{where}: malformed signature line")
            data = unbase64(match[2], f"{where}: malformed signature")
            decodes(len(data) >= 5, f"{where}: malformed signature")
            own = match[1] == self.name and data[:4] == self.key_id
            decodes(index == 0 or not own, f"{where}: signed twice by the log's key")
            agrees(index > 0 or own and len(data) == 68, f"{where}: not signed by the log's key")
            if own:
                agrees(int.from_bytes(data[4:36], "little") & (1 << 255) - 1 not in SMALL_ORDER, f"{where}: weak signature")
                agrees(int.from_bytes(data[36:], "little") < L, f"{where}: signature not canonical")
                public = Ed25519PublicKey.from_public_bytes(self.log.public)
                attempt(f"{where}: the signature does not fit", InvalidSignature, public.verify, data[4:], (text + "\n").encode(), code=4)

class Log:
    def __init__(self, text, pinned):
        match = GENESIS.fullmatch(attempt("genesis: not UTF-8", UnicodeDecodeError, text.decode))
        decodes(match and int(match[3]) < 2**64 and int(match[5]) <= 1024, "genesis: malformed")
        self.origin, self.public, self.genesis_hash = match[2], bytes.fromhex(match[6]), H("genesis", text)
        decodes(int.from_bytes(self.public, "little") & (1 << 255) - 1 not in SMALL_ORDER, "genesis: weak key")
        agrees(not pinned or pinned[1] == self.public, "genesis: its key is not the pinned one")
        agrees(not pinned or re.sub("/[0-9]+$", "", pinned[0]) == self.origin, "genesis: its origin is not the pinned one")
        self.partitions = [Partition(number, self) for number in range(int(match[5]))]

def verify(file, pinned=None):
    decodes(file.read(16) == b"ACTUM ARCHIVE 1\n", "not an archive")
    kind, _, _, _, text = read_frame(file, "genesis")
    decodes(kind == 1, "the first frame is not the genesis")
    log, chunks, current, frames = Log(text, pinned), [], None, 1
    while True:
        kind, number, count, seq, raw = read_frame(file, f"frame {frames}" + (f" in block {current.blocks} of partition {current.number}" if current else ""))
        if kind == 4 and not current:
            break
        decodes(kind in (2, 3) and number < len(log.partitions), f"frame {frames}: it does not belong here")
        partition = log.partitions[number]
        decodes(current in (None, partition), f"frame {frames}: partitions interleave by whole blocks only")
        chunks, current, frames = chunks + [(count, seq, raw)], partition, frames + 1
        if kind == 3:
            partition.block(chunks[:-1], seq, raw)
            chunks, current = [], None
    decodes(len(raw) % 24 == 8 and all(raw[at:at + 8] == struct.pack("<Q", at // 24) for at in range(0, len(raw) - 8, 24)), "the end frame is malformed")
    counts = b"".join(struct.pack("<H6xQQ", p.number, p.blocks, p.tree.size) for p in log.partitions)
    agrees(raw == counts + struct.pack("<Q", frames), "the end frame counts something else")
    decodes(not file.read(1), "something follows the end frame")
    sizes = ", ".join(f"{p.tree.size} in partition {p.number}" for p in log.partitions)
    return f"verified: {log.origin}, complete to {sizes}; nothing after that can be excluded; rests on {'the pinned key' if pinned else 'the log itself'}"

def main(arguments):
    try:
        file, pinned = open(arguments[0], "rb"), None
        if len(arguments) > 1:
            (_, option, text), (name, digits, material) = arguments, arguments[2].split("+", 2)
            data = base64.b64decode(material, validate=True)
            if option != "--key" or len(data) != 33 or data[0] != 1 or key_id(name, data[1:]).hex() != digits:
                raise ValueError("that is not a verifier key")
            pinned = name, data[1:]
    except (ValueError, IndexError, OSError) as error:
        print(f"usage: verify.py FILE.actum [--key VERIFIER_KEY] ({error})", file=sys.stderr)
        return 2
    try:
        print(verify(file, pinned))
    except Fault as fault:
        print(fault)
        return fault.code

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
