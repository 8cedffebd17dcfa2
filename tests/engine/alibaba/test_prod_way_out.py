"""The stack `prod` on its way out: what is refused, what is kept, and what is left."""

import pytest

from tests.engine.alibaba.on_cloud import OnCloud
from tests.engine.alibaba.rights import not_granted

pytestmark = pytest.mark.engine


@pytest.mark.proves("cloud", "a plain `destroy` is refused")
def test_plain_destroy_is_refused(prod: OnCloud) -> None:
    """Guards against a `destroy` that takes addresses away which partners have let in, or all but them."""
    before = prod.cloud.left()
    said = prod.destroy().failed().said
    assert "protect" in said
    assert prod.cloud.calls.written() == []
    assert prod.cloud.left() == before


@pytest.mark.proves("cloud", "the documented way out leaves nothing behind, and needs no right beyond the RAM policy")
def test_documented_way_out_leaves_nothing(prod: OnCloud) -> None:
    """Guards against a way out that ends half-way for good (docs/cloud.md, "Destroying").

    The state has the firewall's next hop, as after any refresh: then the route's first deletion fails.
    """
    cloud = prod.cloud
    prod.refresh().ok()
    prod.set({"cluster-egress:egress/addresses/protected": "nothing"})
    prod.up().ok()
    assert {*cloud.calls.written()} == {"DeletionProtection"}
    prod.destroy().failed()
    assert "DeleteRouteEntry InvalidRouteEntry.NotFound" in cloud.calls.refused()
    assert len(cloud.cs.pools) == 0
    prod.refresh().ok()
    prod.destroy().ok()
    assert cloud.left() == []
    assert not_granted(cloud) == set()


@pytest.mark.proves("cloud", "addresses, gateway and firewall can be kept while all else goes")
def test_what_is_protected_can_be_kept(prod: OnCloud) -> None:
    """Guards against other addresses after everything else was taken away and came again."""
    cloud = prod.cloud
    addresses = {each.address for each in cloud.vpc.eips.eips}
    prod.destroy("--exclude-protected").ok()
    assert len(cloud.cs.pools) == 0
    assert {each.address for each in cloud.vpc.eips.eips} == addresses
    prod.up().ok()
    assert {each.address for each in cloud.vpc.eips.eips} == addresses
    assert prod.changes() == {}
