"""What the fields of a chain are, and what tables call their columns: data, apart from how a column is chosen by it."""

from __future__ import annotations

from collections.abc import Mapping

from optionchain.history.chains import QUOTE_FIELDS

# The names that tables give their columns, without capitals, blanks and signs; earlier ones count first.
NAMES: Mapping[str, tuple[str, ...]] = {
    "symbol": (
        *("underlyingsymbol", "underlyingticker", "actsymbol", "tckrsymb", "symbol", "ticker", "underlying"),
        "underlyingassetticker",
    ),
    "contract": (
        *("contract", "contractsymbol", "contractid", "optionsymbol", "occsymbol", "osisymbol", "osi", "localsymbol"),
        *("instrumentname", "instrument", "optionticker", "symbol", "ticker", "option", "rawsymbol", "instid"),
        "detailsticker",
    ),
    "root": ("root", "rootsymbol", "optionroot", "tradingclass"),
    "date": (
        *("quotedate", "tradedate", "datadate", "date", "day", "tradingdate", "asof", "asofdate", "snapshotdate"),
        *("snapdate", "snapshottime", "bizdt", "traddt", "businessdate", "quotedatetime", "datetime", "timestamp"),
        *("time", "updated", "quotetime", "quotetimestamp", "quotetimeinlong", "tsevent", "tsrecv", "lastupdated"),
        *("updatedat", "ts"),
    ),
    "expiration": (
        *("expiration", "expirationdate", "expiry", "expirydate", "exp", "expdate", "expiredate", "expirdate"),
        *("exdate", "expirydt", "expdt", "xprydt", "maturity", "maturitydate", "expirationtimestamp", "expires"),
        *("lasttradedateorcontractmonth", "expirationunix", "expireunix"),
    ),
    "strike": ("strike", "strikeprice", "strikepr", "strikepx", "strkpric", "exerciseprice"),
    "option_type": (
        *("optiontype", "type", "right", "optionright", "callput", "putcall", "cp", "pc", "cpflag", "callputflag"),
        *("optiontyp", "opttype", "optntp", "contracttype", "optionside", "side", "kind", "callorput"),
        "instrumenttype",
    ),
    "underlying_price": (
        *("underlyingprice", "underlyinglast", "underlyinglastprice", "undprice", "spot", "spotprice", "stockprice"),
        *("underlyingclose", "underlyingvalue", "undrlygpric", "stkpx", "indexprice", "underlyingmid", "underlying"),
        *("underlyingassetprice", "stockpriceforiv", "adjustedstockcloseprice", "undlast", "undpx"),
    ),
    "underlying_bid": ("underlyingbid",),
    "underlying_ask": ("underlyingask",),
    "bid": (
        *("bid", "bidprice", "bestbid", "bestbidprice", "bidpx", "bidclose", "closebid", "bid1price", "bidpx00"),
        "bp",
    ),
    "ask": (
        *("ask", "askprice", "bestask", "bestaskprice", "askpx", "askclose", "closeask", "offer", "bestoffer"),
        *("ask1price", "askpx00", "ap"),
    ),
    "last": (
        *("last", "lastprice", "lasttradeprice", "ltp", "lastsale", "close", "closeprice", "clspric", "settlement"),
        *("lastpx", "latesttradep", "latest"),
    ),
    "volume": ("volume", "vol", "totalvolume", "tradedvolume", "tradevolume", "ttltradgvol", "contracts", "volume24h"),
    "open_interest": ("openinterest", "oi", "openint", "opnintrst"),
    "implied_volatility": (
        *("impliedvolatility", "iv", "impliedvol", "impvol", "impvolatility", "implvolatility", "implvol", "midiv"),
        *("ivmid", "markiv", "ivmean", "volatility", "markvol"),
    ),
    "delta": ("delta",),
    "gamma": ("gamma",),
    "theta": ("theta",),
    "vega": ("vega",),
}  # fmt: skip
SIDES: Mapping[str, tuple[str, ...]] = {
    "call": ("call", "calls", "c", "ce"),
    "put": ("put", "puts", "p", "pe"),
}
FIELDS = (*NAMES, *(f"{side}_{field}" for side in SIDES for field in QUOTE_FIELDS))
