"""Recomputes every hash in items.json with nothing but the formulas of docs/protocol.md.

Shares no code with the product. Prints what differs and exits with 1; else prints the count.
"""
import hashlib, json, pathlib, struct, sys


def sha(data):
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def head(major, n):
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * size:
            return bytes([major << 5 | code]) + n.to_bytes(size, "big")


def cbor(v):
    if v is None or v is True or v is False:
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[v]
    if isinstance(v, float) and not (v.is_integer() and abs(v) < 2**53):
        for first, form in ((b"\xf9", ">e"), (b"\xfa", ">f"), (b"\xfb", ">d")):
            try:
                packed = struct.pack(form, v)
            except OverflowError:
                continue
            if struct.unpack(form, packed)[0] == v:
                return first + packed
    if isinstance(v, (int, float)):
        return head(0, int(v)) if v >= 0 else head(1, -1 - int(v))
    if isinstance(v, bytes):
        return head(2, len(v)) + v
    if isinstance(v, str):
        return head(3, len(v.encode())) + v.encode()
    if isinstance(v, list):
        return head(4, len(v)) + b"".join(map(cbor, v))
    entries = sorted((cbor(key), cbor(value)) for key, value in v.items())
    return head(5, len(v)) + b"".join(key + value for key, value in entries)


def data_hash(c):
    if c is None:
        return "0" * 64
    by_bytes = lambda texts: sorted(texts, key=str.encode)
    return sha(cbor([bytes.fromhex(c["blob"]), c["size"], c["type"], by_bytes(c["tags"]),
                     c["description"], c["meta"], by_bytes(c["dependsOn"])]))


def version(item, parents, data):
    return sha(("".join(sorted(parents)) or item) + data)


def digest(fact, digests):
    by = fact["by"].encode()
    parents = [bytes.fromhex(digests.get(p, "0" * 64)) for p in fact["parents"]]
    return sha(b"".join([bytes.fromhex(fact["version"]), bytes.fromhex(fact["at"]),
                         struct.pack(">H", len(by)), by, *parents]))


def past(facts, v):
    return {v}.union(*(past(facts, p) for p in facts[v]["parents"]))


def name(prefix, facts, heads):
    """The items of a split: {id: head version of its derived chain}."""
    pasts = [past(facts, h) for h in heads]
    own = [p - set.intersection(*pasts) for p in pasts]
    keys = [min(v for v in o if not o & set(facts[v]["parents"])) for o in own]
    place = next(i for i in range(64) if len({k[i] for k in keys}) > 1)
    items = {}
    for digit in sorted({k[place] for k in keys}):
        group = [i for i, k in enumerate(keys) if k[place] == digit]
        new = prefix + "~" + digit
        if len(group) > 1:
            items.update(name(new, facts, [heads[i] for i in group]))
            continue
        chain = own[group[0]]
        derive = lambda v: version(new, {derive(p) for p in facts[v]["parents"] if p in chain},
                                   facts[v]["dataHash"])
        items[new] = derive(heads[group[0]])
    return items


def main():
    vectors = json.loads((pathlib.Path(__file__).parent / "items.json").read_text())
    wrong, count = [], 0

    def expect(what, stored, computed):
        nonlocal count
        count += 1
        if stored != computed:
            wrong.append(f"{what}: stored {stored}, computed {computed}")

    for item in vectors["items"]:
        digests, newest = {}, {}
        for fact in item["facts"]:
            where = f"{item['name']}, fact {fact['version'][:8]}"
            expect(where + ", dataHash", fact["dataHash"], data_hash(fact["content"]))
            expect(where + ", version", fact["version"],
                   version(item["id"], fact["parents"], fact["dataHash"]))
            digests[fact["version"]] = digest(fact, digests)
            expect(where + ", digest", fact["digest"], digests[fact["version"]])
            newest = {v: d for v, d in newest.items() if v not in fact["parents"]}
            newest[fact["version"]] = digests[fact["version"]]
        leaf = sha(bytes.fromhex("".join(v + d for v, d in sorted(newest.items()))))
        expect(item["name"] + ", leaf", item["leaf"], leaf)
        if "split" in item:
            facts = {fact["version"]: fact for fact in item["facts"]}
            expect(item["name"] + ", split", item["split"], name(item["id"], facts, sorted(newest)))
    print("\n".join(wrong) or f"{count} hashes recomputed")
    sys.exit(1 if wrong else 0)


main()
