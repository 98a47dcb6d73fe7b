#!/usr/bin/env python3
"""Writes orders.jsonl: 1,000 orders for order-fulfilment.yaml. Deterministic: run it again and nothing changes."""

import json
import pathlib
import random

GOODS = [
    ("LAMP-OAK", 4990), ("LAMP-STEEL", 3490), ("CHAIR-ASH", 12900), ("CHAIR-KIDS", 5900), ("DESK-120", 24900),
    ("DESK-160", 31900), ("SHELF-3", 8900), ("SHELF-5", 11900), ("RUG-S", 3900), ("RUG-L", 15900), ("MUG-BLUE", 1290),
    ("MUG-RED", 1290), ("BOARD-CORK", 2450), ("CLOCK-WALL", 2990), ("SOFA-2", 64900), ("SOFA-3", 89900), ("BED-140", 54900),
]
FIRST = "Aino Bruno Chiara Dmitri Elif Femke Goran Hanna Ines Jonas Katarzyna Luca Mateo Nadia Oskar Paula".split()
LAST = "Almeida Bakker Costa Dubois Eriksson Fischer Garcia Horvat Ivanova Jansen Kowalski Larsen Moreau Novak Rossi Weber".split()
COUNTRIES = ["DE"] * 8 + ["AT"] * 3 + ["NL"] * 3 + ["FR"] * 3 + ["PL", "SE", "IT", "ES", "PT", "CH", "NO", "US"]


def order(random, number):
    first, last = random.choice(FIRST), random.choice(LAST)
    items = []
    for sku, price in random.sample(GOODS, random.choice([1, 1, 1, 2, 2, 3, 4, 6])):
        qty = random.choice([1, 1, 1, 2, 2, 4, 12]) if price < 20000 else 1
        short = random.random() < 0.06
        on_hand = random.randrange(qty) if short else qty + random.randrange(60)
        items.append({"sku": sku, "qty": qty, "price_cents": price, "on_hand": on_hand})
    case = {
        "key": f"ORD-2026-{number:05}",
        "customer": {"name": f"{first} {last}", "email": f"{first}.{last}{number}@example.com".lower()},
        "country": random.choice(COUNTRIES),
        "items": items,
        "shipping": random.choice(["standard"] * 6 + ["express"] * 3 + ["pickup"]),
        "payment_method": random.choice(["card"] * 5 + ["paypal"] * 3 + ["invoice", "transfer"]),
    }
    if random.random() < 0.25:
        case["supplier_batch"] = random.choice([1, 2, 4, 25])
    declines = random.choices([0, 1, 2, 3], [90, 6, 2, 2])[0]
    if declines:
        case["declines"] = declines
    return case


if __name__ == "__main__":
    random = random.Random(2026)
    lines = [json.dumps(order(random, number), separators=(",", ":")) for number in range(1, 1001)]
    pathlib.Path(__file__).with_name("orders.jsonl").write_text("\n".join(lines) + "\n")
