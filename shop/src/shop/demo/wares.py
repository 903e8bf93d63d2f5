"""What is sold, in the order in which it is put on the shelves."""

from __future__ import annotations

import msgspec

from shop.customers.edge import Edge

__all__ = ["CURRENCY", "LIMIT", "Shelf", "Ware", "stock_up"]

CURRENCY = "USD"
LIMIT = 100_000
"""The most that the payment provider takes for one purchase, in minor units."""


class Ware(msgspec.Struct, frozen=True):
    """A product. `price` is in minor units."""

    name: str
    brand: str
    price: int
    stock: int
    description: str


class Shelf(msgspec.Struct, frozen=True):
    """What stands there, by its id. `dear` costs more than the payment provider takes."""

    prices: dict[int, int]
    dear: int

    @property
    def common(self) -> list[int]:
        return [id for id in self.prices if id != self.dear]


_PLENTY = 100_000
_DEAR = "Samovar"
_WARES: dict[tuple[str, str], tuple[Ware, ...]] = {
    ("Tea", "Leaves, from three gardens."): (
        Ware("Darjeeling, first flush", "Gauri", 1850, _PLENTY, "Picked in March. 100 g."),
        Ware("Assam, golden tips", "Gauri", 1420, _PLENTY, "Malty, takes milk. 100 g."),
        Ware("Sencha", "Uji Gardens", 1690, _PLENTY, "Steamed, green, of the second harvest. 100 g."),
        Ware("Genmaicha", "Uji Gardens", 450, _PLENTY, "With roasted rice. 50 g."),
    ),
    ("Coffee", "Whole beans, roasted on Mondays."): (
        Ware("Yirgacheffe", "Hill & Harbour", 1590, _PLENTY, "Washed, light roast. 250 g."),
        Ware("Huehuetenango", "Hill & Harbour", 1490, _PLENTY, "Medium roast. 250 g."),
    ),
    ("For the table", "What it is drunk from."): (
        Ware("Cup", "Kiln Nine", 1200, _PLENTY, "Stoneware, 180 ml."),
        Ware("Pot", "Kiln Nine", 5400, _PLENTY, "Stoneware, 900 ml, with a sieve."),
        Ware(_DEAR, "Tula", LIMIT + 25_000, _PLENTY, "Brass. More than most cards allow: a payment that is declined."),
    ),
}


def stock_up(web: str, token: str) -> Shelf:
    """Put everything on the shelves, as the administrator. Raises RuntimeError where that is refused."""
    edge, signed = Edge(web), {"Authorization": f"Bearer {token}"}

    def made(path: str, body: dict[str, object]) -> int:
        answer = edge.ask("POST", path, body, signed)
        if answer.status != 201:
            raise RuntimeError(f"{body['name']} cannot be sold: {answer.status} {answer.body}")
        return int(answer.body["id"])

    prices: dict[int, int] = {}
    dear = 0
    for (category, meaning), wares in _WARES.items():
        into = made("/api/v1/categories", {"name": category, "description": meaning})
        for ware in wares:
            body: dict[str, object] = {
                "name": ware.name,
                "description": ware.description,
                "brand_name": ware.brand,
                "currency": CURRENCY,
            }
            body |= {"price": ware.price, "inventory": ware.stock, "category_id": str(into)}
            id = made("/api/v1/products", body)
            prices[id] = ware.price
            dear = id if ware.name == _DEAR else dear
    edge.close()
    return Shelf(prices, dear)
