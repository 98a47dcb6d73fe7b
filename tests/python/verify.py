"""Verifies an archive from FORMAT.md alone: verify.py FILE.actum [--key VERIFIER_KEY]

Exit codes: 0 verified, 2 usage, 4 tampered (decodes, but contradicts a hash, signature, seal or link), 5 corrupt.
Checks rotations, revocations, checkpoints; the key to give is the first. Does not check tails (refuses them with 2),
proofs, witnesses, trust files (sections 13, 10, end of 11). Shares nothing with the Rust code; no attempt at speed.
"""
import base64, functools, hashlib, re, struct, sys
import lz4.block
from blake3 import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NONE, BLOCKS, MIB, STREAM_OF_KIND = 2**64 - 1, 2**63, 1 << 20, {1: 2**63, 2: 2**63 + 2, 3: 2**63 + 2, 4: 2**63 + 7}
KEYS = {purpose: blake3(b"", derive_key_context="actum 2026 log format 1 " + purpose).digest()
        for purpose in ("salt", "payload", "event", "chain", "block", "genesis", "frame")}
GENESIS = re.compile(r"actum-genesis 1\nlog ([0-9a-f]{32})\norigin ([!-*,-~]{1,200})\ncreated (0|[1-9][0-9]*)\n"
                     r"clock (real|simulated)\npartitions ([1-9][0-9]{0,3})\nkey ([0-9a-f]{64})\n"
                     r"next (none|[0-9a-f]{64})\n")
SEAL = re.compile(r"([^\n]*)\n(0|[1-9][0-9]*)\n([^\n]*)\nactum-block (0|[1-9][0-9]*) ([^ \n]{44})\n")
EXTENSION_BYTES = {1: 16, 3: 4, 4: 24, 5: 16, 6: 10, 7: 32}
# Points of small order as encoded, without sign bit; the group's order. Strict Ed25519 refuses those, and S from L on.
P, Y8 = 2**255 - 19, 55188659117513257062467267217118295137698188065244968500265048394206261417927
SMALL_ORDER, L = {0, 1, P - 1, P, P + 1, Y8, P - Y8}, 2**252 + 27742317777372353535851937790883648493
place = "the genesis"  # Where the checks are.
class Fault(Exception): """Exit code and sentence."""
def decodes(condition, what, code=5):
    if not condition:
        raise Fault(code, f"{({2: 'not checked', 4: 'tampered', 5: 'corrupt'})[code]}: {place}: {what}")
def agrees(condition, what): decodes(condition, what, 4)
def H(purpose, data, length=32): return blake3(data, key=KEYS[purpose]).digest(length)
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def key_id(name, public): return sha(name.encode(), b"\n\1", public)[:4]
def is_weak(point): return int.from_bytes(point, "little") & (1 << 255) - 1 in SMALL_ORDER
def attempt(what, errors, function, *arguments, code=5):
    try:
        return function(*arguments)
    except errors:
        decodes(False, what, code)
def unbase64(text):
    data = attempt("malformed base64", ValueError, base64.b64decode, text, None, True)
    decodes(base64.b64encode(data).decode() == text, "base64 with stray bits")
    return data
class Tree:
    """RFC 6962 tree of which only the perfect subtrees are kept, largest first."""
    def __init__(self, leaves=()):
        self.size, self.roots = 0, []
        any(map(self.add, leaves))
    def add(self, leaf):
        node, size = sha(b"\0", leaf), self.size
        while size & 1:
            node, size = sha(b"\1", self.roots.pop(), node), size >> 1
        self.roots.append(node)
        self.size += 1
    def root(self):
        return functools.reduce(lambda r, l: sha(b"\1", l, r), reversed(self.roots)) if self.roots else sha()
def read_frame(file):
    head = file.read(40)
    decodes(len(head) == 40, "the archive ends before its end frame")
    kind, encoding, partition, stored_bytes, raw_bytes, count, seq = struct.unpack("<BBHIIIQ", head[:24])
    least, most = (64 if kind == 2 else 1), {1: MIB >> 4, 2: 8_454_144, 3: MIB << 4, 4: 24_584, 5: MIB}.get(kind, 0)
    most_stored = raw_bytes + raw_bytes // 255 + 16 if encoding else raw_bytes
    decodes(encoding < 2 and least <= raw_bytes <= most, "no such frame, or one too short or too long")
    decodes((1 if encoding else raw_bytes) <= stored_bytes <= most_stored, "lengths of a frame do not fit each other")
    decodes((0 < count <= 65_536) if kind == 2 else count == 0, "wrong count")
    decodes(kind in (2, 3) or seq == 0 and (kind == 5 or partition == 0), "this frame has partition and seq 0")
    stored = file.read(stored_bytes)
    decodes(H("frame", head[:24] + stored, 16) == head[24:], "the frame is cut off, or its checksum does not fit")
    decodes(kind != 5, "this is a tail, which is verified against a seal that was kept", 2)
    decode = functools.partial(lz4.block.decompress, uncompressed_size=raw_bytes) if encoding else bytes
    raw = attempt("the frame does not decompress", lz4.block.LZ4BlockError, decode, stored)
    decodes(len(raw) == raw_bytes, "the frame does not decompress to its length")
    return kind, partition, count, seq, raw
def read_extensions(data):
    found, last = {}, -1
    while data:
        decodes(len(data) >= 3, "extension too short")
        kind, length = struct.unpack("<BH", data[:3])
        value, data = data[3:3 + length], data[3 + length:]
        fits = length == EXTENSION_BYTES.get(kind, length) and (kind != 2 or length <= 512)
        decodes(kind > last and len(value) == length and fits, "extensions out of order, too long or malformed")
        if kind == 2:
            attempt("the business key is not UTF-8", UnicodeDecodeError, value.decode)
        found[kind], last = value, kind
    return found
class Partition:
    def __init__(self, number, log):
        self.number, self.last_hash, self.name = number, log.genesis_hash, f"{log.origin}/{number}"
        self.tree, self.blocks, self.time, self.epoch, self.boot = Tree(), 0, 0, 0, None
        self.streams = {}  # id -> version, previous, C, ended, tree of event hashes
        self.keys, self.next, self.revoked, self.sealed = [log.public], log.next, set(), {}
    def block(self, chunks, frame_seq, raw):
        global place
        where = place = f"block {self.blocks} of partition {self.number}"
        self.first, self.before, self.kinds, self.new = self.tree.size, {}, [], None
        frontier, old = b"".join(self.tree.roots), self.keys[-1]
        decodes(len(raw) >= 112, "body too short")
        *numbers, root, secret, k, s, f, zero = struct.unpack("<HHIQQQ32s32sIIII", raw[:112])
        partition, version, n, number, first, total = numbers
        end = 112 + 32 * f + 56 * s
        decodes(version == 1 and zero == 0 and f == bin(first).count("1"), "malformed body")
        decodes(1 <= n <= 65_536 and s <= n and total <= 64 * MIB, "more than a block holds")
        body, seal = raw[:end], raw[end + 4:]
        decodes(raw[end:end + 4] == struct.pack("<I", len(seal)) and len(seal) <= 64 << 10, "malformed seal length")
        expected, block_hash = (self.number, self.blocks, self.first, len(chunks), frame_seq), H("block", body)
        agrees((partition, number, first, k, first + n - 1) == expected, "another block belongs here")
        text, lines = self.seal(seal, (self.name, first + n, root, number, block_hash))
        found = sum(count for count, _, _ in chunks), sum(len(chunk) for _, _, chunk in chunks)
        agrees((n, total) == found, "other number or bytes of records")
        salts, index = H("salt", secret, 16 * n), 0
        for count, seq, chunk in chunks:
            agrees(seq == self.tree.size, f"a chunk with seq {self.tree.size} belongs here, not {seq}")
            for _ in range(count):
                place = f"{where}, event {self.tree.size}"
                length = int.from_bytes(chunk[:4], "little")
                decodes(64 <= length <= min(len(chunk), 8_454_144), "malformed length")
                self.record(chunk[:length], index, salts[16 * index:16 * index + 16])
                chunk, index = chunk[length:], index + 1
            decodes(not chunk, "its chunk holds more than its records")
        place = where
        entries = b"".join(struct.pack("<QQQ32s", stream, *state) for stream, state in sorted(self.before.items()))
        agrees(body[112:] == frontier + entries, "frontier or stream index contradict the log before it")
        agrees(self.tree.root() == root, "the events do not hash to the root")
        revokes = old in self.revoked
        agrees(not revokes or [kind for kind in self.kinds if kind < 4] == [2, 3], "other records beside a revocation")
        self.signatures(text, lines, [self.new] if revokes else [old] + [self.new] * bool(self.new))
        self.last_hash, self.blocks = block_hash, self.blocks + 1
    def record(self, data, index, salt):
        seq, fields = self.tree.size, struct.unpack("<IHHHHIQQQQQQ", data[:64])
        (_, kind, schema, flags, ext_len, actor, found, stream, time, previous, cause, version) = fields
        decodes(kind and schema and flags < 4 and ext_len <= 4096 and 64 + ext_len <= len(data), "malformed header")
        decodes(stream and (kind == 1) == (stream == BLOCKS) == (index == 0), "wrong kind or stream")
        decodes(kind > 4 or (stream, schema, flags) == (STREAM_OF_KIND[kind], 1, 0), "wrong stream, schema or flags")
        agrees(found == seq, f"seq {found} stands here")
        decodes(version and (cause == NONE or cause < seq), "malformed version or cause")
        ext, payload = read_extensions(data[64:64 + ext_len]), data[64 + ext_len:]
        decodes((not flags & 2 or 5 in ext) and (flags & 1 or 7 not in ext), "flags and extensions do not fit")
        last, at, chain, ended, events = state = self.streams.get(stream, (0, NONE, bytes(32), False, Tree()))
        self.before.setdefault(stream, state[:3])
        agrees(not ended and time >= self.time, "its stream has ended, or time goes back")
        agrees((version, previous) == (last + 1, at), "its version or previous does not continue its stream")
        if kind == 1:
            decodes((actor, cause, ext_len, len(payload)) == (0, NONE, 0, 96), "malformed block record")
            before, number, epoch, boot, _, _, self.named, zero = struct.unpack("<32sQQ16sqQ4s12s", payload)
            decodes(epoch >= 1 and zero == bytes(12), "malformed block record")
            agrees((before, number) == (self.last_hash, self.blocks), "it names another predecessor or number")
            agrees(epoch >= self.epoch and (epoch == self.epoch) == (boot == self.boot), "wrong epoch or boot id")
            self.epoch, self.boot = epoch, boot
        elif kind <= 4:
            (self.rotation, self.revocation, self.checkpoint)[kind - 2](payload)
            self.kinds.append(kind)
        event = H("event", data[:64 + ext_len] + H("payload", salt + payload))
        agrees(7 not in ext or ext[7] == events.root(), "the stream root does not fit the stream")
        events.add(event)
        chain, self.time = H("chain", chain + event), time
        self.streams[stream] = (version, seq, chain, bool(flags & 1), events)
        self.tree.add(chain + struct.pack("<QQ", seq, version))
    def rotation(self, payload):
        old, new, following = payload[:32], payload[32:64], payload[64:]
        decodes(len(payload) == 96 and not self.new and not is_weak(new), "malformed rotation, or a second one")
        agrees(old == self.keys[-1], "it rotates another key than the one in force")
        agrees(sha(new) == self.next and new not in self.keys, "its new key was not committed, or was in force before")
        self.new, self.next = new, following if any(following) else None
    def revocation(self, payload):
        decodes(32 <= len(payload) <= 32 + 1024, "malformed revocation")
        attempt("the reason is not UTF-8", UnicodeDecodeError, payload[32:].decode)
        key, in_force = payload[:32], payload[:32] == self.keys[-1] and not self.new
        agrees(key in self.keys and key not in self.revoked and not in_force, "it revokes a key that cannot be revoked")
        self.revoked.add(key)
    def checkpoint(self, payload):
        decodes(48 <= len(payload) <= 48 + 4096 and 4 not in self.kinds, "malformed checkpoint, or a second one")
        # As before this block: a stream with an event in it had not ended, or was not there.
        rows = [(stream, *self.before.get(stream, state[:3]), state[3] and stream not in self.before)
                for stream, state in self.streams.items() if stream != BLOCKS]
        leaves = [struct.pack("<QQ32sB", stream, version, chain, ended)
                  for stream, version, _, chain, ended in sorted(rows) if version]
        expected = struct.pack("<QQ32s", self.first, len(leaves), Tree(leaves).root())
        agrees(payload[:48] == expected, "the checkpoint is not that of the log before it")
    def seal(self, seal, expected):
        text, _, lines = attempt("malformed seal", UnicodeDecodeError, seal.decode).partition("\n\n")
        match = SEAL.fullmatch(text + "\n")
        decodes(match and lines.endswith("\n") and lines.count("\n") <= 100, "malformed seal")
        found = match[1], int(match[2]), unbase64(match[3]), int(match[4]), unbase64(match[5])
        decodes(len(found[2]) == len(found[4]) == 32, "malformed seal")
        agrees(found == expected, "the seal is of another block")
        return text + "\n", lines[:-1].split("\n")
    def signatures(self, text, lines, signers):
        agrees(self.named == key_id(self.name, signers[0]), "the block record names another key")
        for index, line in enumerate(lines):
            match = re.fullmatch(r"— ([^\s+]+) ([^ ]+)", line)
            decodes(match and len(data := unbase64(match[2])) >= 5, "malformed signature line")
            decodes(index == 0 or (match[1], data[:4]) != (self.name, self.named), "signed twice by the log's key")
            if index < len(signers):
                own = (match[1], data[:4]) == (self.name, key_id(self.name, signers[index]))
                strict = len(data) == 68 and not is_weak(data[4:36]) and int.from_bytes(data[36:], "little") < L
                agrees(own and strict, "not signed by the key in force")
                key = Ed25519PublicKey.from_public_bytes(signers[index])
                attempt("the signature does not fit", InvalidSignature, key.verify, data[4:], text.encode(), code=4)
        agrees(len(lines) >= len(signers), "not signed by the new key")
        self.sealed.setdefault(signers[0], [self.blocks, 0])[1] = self.blocks
        self.keys += [self.new] if self.new else []
class Log:
    def __init__(self, text, pinned):
        match = GENESIS.fullmatch(attempt("not UTF-8", UnicodeDecodeError, text.decode))
        decodes(match and int(match[3]) < 2**64 and int(match[5]) <= 1024, "malformed")
        self.origin, self.public, self.genesis_hash = match[2], bytes.fromhex(match[6]), H("genesis", text)
        self.next = None if match[7] == "none" else bytes.fromhex(match[7])
        decodes(not is_weak(self.public), "weak key")
        agrees(not pinned or pinned == (self.origin, self.public), "its origin or key is not the pinned one")
        self.partitions = [Partition(number, self) for number in range(int(match[5]))]
def verify(file, pinned=None):
    global place
    decodes(file.read(16) == b"ACTUM ARCHIVE 1\n", "not an archive")
    kind, *_, text = read_frame(file)
    decodes(kind == 1, "the first frame is not the genesis")
    log, chunks, current, frames = Log(text, pinned), [], None, 1
    while True:
        place = f"frame {frames}" + (f" in block {current.blocks} of partition {current.number}" if current else "")
        kind, number, count, seq, raw = read_frame(file)
        if kind == 4 and not current: break
        decodes(kind in (2, 3) and number < len(log.partitions), "it does not belong here")
        partition = log.partitions[number]
        decodes(current in (None, partition), "partitions interleave by whole blocks only")
        chunks, current, frames = chunks + [(count, seq, raw)], partition, frames + 1
        if kind == 3:
            partition.block(chunks[:-1], seq, raw)
            chunks, current = [], None
    ordered = all(raw[at:at + 8] == struct.pack("<Q", at // 24) for at in range(0, len(raw) - 8, 24))
    decodes(len(raw) % 24 == 8 and ordered, "the end frame is malformed")
    counts = b"".join(struct.pack("<H6xQQ", p.number, p.blocks, p.tree.size) for p in log.partitions)
    agrees(raw == counts + struct.pack("<Q", frames), "the end frame counts something else")
    decodes(not file.read(1), "something follows the end frame")
    sizes = ", ".join(f"{p.tree.size} in partition {p.number}" for p in log.partitions)
    keys = "".join(f"; key {key.hex()}{' (revoked)' * (key in p.revoked)} sealed blocks {first} to {last} of {p.name}"
                   for p in log.partitions for key, (first, last) in p.sealed.items())
    rests = "the pinned key" if pinned else "the log itself"
    return f"verified: {log.origin}, complete to {sizes}; nothing after that can be excluded; rests on {rests}{keys}"
def read_key(option, text):
    name, digits, material = text.split("+", 2)
    data = base64.b64decode(material, validate=True)
    if (option, len(data), data[:1], key_id(name, data[1:]).hex()) != ("--key", 33, b"\1", digits):
        raise ValueError("that is not a verifier key")
    return re.sub("/[0-9]+$", "", name), data[1:]
try:
    arguments = open(sys.argv[1], "rb"), read_key(*sys.argv[2:]) if sys.argv[2:] else None
except (ValueError, TypeError, IndexError, OSError) as error:
    sys.exit(print(f"usage: verify.py FILE.actum [--key VERIFIER_KEY] ({error})", file=sys.stderr) or 2)
try:
    print(verify(*arguments))
except Fault as fault:
    sys.exit(print(fault.args[1]) or fault.args[0])
