"""The account service over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from litestar import Request, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta, Struct

from shop.account import settings
from shop.account.accounts import Accounts, Pair
from shop.account.domain import Delivery, Personal
from shop.chassis.access import BEARER, Caller, signed_in
from shop.chassis.describing import may_answer

__all__ = ["ROUTES"]

_PLAIN = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
_EMAIL = r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s.\x00-\x1f\x7f]+$"

Email: TypeAlias = Annotated[
    str, Meta(pattern=_EMAIL, max_length=254, description="an e-mail address", examples=["ada@example.com"])
]
Name: TypeAlias = Annotated[str, Meta(pattern=_PLAIN, max_length=100, description="a name", examples=["Ada"])]
Address: TypeAlias = Annotated[
    str, Meta(pattern=_PLAIN, max_length=300, description="a postal address on one line", examples=["12 Main Street"])
]
Phone: TypeAlias = Annotated[
    str, Meta(pattern=r"^\+?[0-9][0-9 ()./-]{2,30}$", description="a telephone number", examples=["+44 20 7946 0000"])
]
Password: TypeAlias = Annotated[
    str, Meta(min_length=8, max_length=128, description="a password", examples=["correct horse"])
]


class Register(Struct, frozen=True, kw_only=True):
    email: Email
    password: Password
    first_name: Name
    last_name: Name
    address: Address
    phone_number: Phone


class Login(Struct, frozen=True, kw_only=True):
    email: Email
    password: Annotated[str, Meta(max_length=128, description="a password")]


class Refresh(Struct, frozen=True, kw_only=True):
    refresh_token: Annotated[str, Meta(min_length=1, max_length=4096, description="the newest refresh token")]


class PersonalBody(Struct, frozen=True, kw_only=True):
    first_name: Name
    last_name: Name
    email: Email


class DeliveryBody(Struct, frozen=True, kw_only=True):
    address: Address
    phone_number: Phone


@post("/api/v1/account/auth/register", tags=["tokens"], summary="Open an account", responses=may_answer(409))
async def register(data: JSONBody[Register], accounts: NamedDependency[Accounts]) -> Pair:
    """Answers with the tokens of the new account. 409 where another has this e-mail address."""
    who = Personal(first_name=data.first_name, last_name=data.last_name, email=data.email)
    where = Delivery(address=data.address, phone_number=data.phone_number)
    return await accounts.register(who, where, data.password)


@post("/api/v1/account/auth/login", status_code=200, tags=["tokens"], summary="Log in", responses=may_answer(401, 429))
async def login(
    data: JSONBody[Login],
    request: Request[Any, Any, Any],
    accounts: NamedDependency[Accounts],
    login_settings: NamedDependency[settings.Login],
) -> Pair:
    """401 for an account that is not there as for a password that is wrong; 429 after too many attempts."""
    return await accounts.login(data.email, data.password, _address(request, login_settings))


@post(
    "/api/v1/account/auth/refresh",
    status_code=200,
    tags=["tokens"],
    summary="Get new tokens for a refresh token",
    responses=may_answer(401),
)
async def refresh(data: JSONBody[Refresh], accounts: NamedDependency[Accounts]) -> Pair:
    """The refresh token is good once. If it comes again, everything that came of that login is refused from then on."""
    return await accounts.refresh(data.refresh_token)


@get("/api/v1/account/customer/personal", guards=[signed_in], security=BEARER, tags=["customer"], summary="Who I am")
async def personal(caller: NamedDependency[Caller], accounts: NamedDependency[Accounts]) -> Personal:
    return await accounts.personal(caller.customer_id)


@put(
    "/api/v1/account/customer/personal",
    guards=[signed_in],
    security=BEARER,
    tags=["customer"],
    summary="Change who I am",
    responses=may_answer(409),
)
async def change_personal(
    data: JSONBody[PersonalBody], caller: NamedDependency[Caller], accounts: NamedDependency[Accounts]
) -> Personal:
    """409 where another has this e-mail address."""
    given = Personal(first_name=data.first_name, last_name=data.last_name, email=data.email)
    return await accounts.change_personal(caller.customer_id, given)


@get("/api/v1/account/customer/delivery", guards=[signed_in], security=BEARER, tags=["customer"], summary="Where I live")
async def delivery(caller: NamedDependency[Caller], accounts: NamedDependency[Accounts]) -> Delivery:
    return await accounts.delivery(caller.customer_id)


@put("/api/v1/account/customer/delivery", guards=[signed_in], security=BEARER, tags=["customer"], summary="Change it")
async def change_delivery(
    data: JSONBody[DeliveryBody], caller: NamedDependency[Caller], accounts: NamedDependency[Accounts]
) -> Delivery:
    given = Delivery(address=data.address, phone_number=data.phone_number)
    return await accounts.change_delivery(caller.customer_id, given)


ROUTES: tuple[ControllerRouterHandler, ...] = (
    register, login, refresh, personal, change_personal, delivery, change_delivery,
)  # fmt: skip


def _address(request: Request[Any, Any, Any], given: settings.Login) -> str:
    """Where a request comes from. Of X-Forwarded-For only the last entry is the proxy's; those before are whatever was
    sent."""
    forwarded = request.headers.get("x-forwarded-for", "") if given.behind_proxy else ""
    direct = request.client.host if request.client else "unknown"
    return (forwarded.rsplit(",", 1)[-1].strip() or direct)[:64]
