"""Every key of backends and of their Gateways, in one declaration: where they answer, who calls, and how."""

from tests.every_offer_key_access import access_values
from tests.every_offer_key_gateways import gateway_values
from tests.every_offer_key_targets import targets_values
from tests.support import Values, dev_values


def every_offer_values() -> Values:
    """The `dev` stack with a backend of every kind, on Gateways of every kind."""
    values = gateway_values(dev_values())
    access_values(values)
    targets_values(values)
    return values
