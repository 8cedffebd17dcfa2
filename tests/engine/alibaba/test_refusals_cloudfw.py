"""What Cloud Firewall refuses: otherwise what runs against the stand-in proves nothing."""

import pytest

from tests.engine.alibaba.asking import ANYWHERE, REGION, Asking, Leaving


def test_address_books() -> None:
    """Guards against two books of one name, one that is too long, and wrong entries."""
    asking = Asking()
    asking.book("hosts", "domain", "a.example.com", "*.b.example.com")
    for said, code in (
        ({"GroupName": "hosts", "GroupType": "ip", "AddressList": "10.0.0.0/8"}, "ErrorAddressGroupExist"),
        ({"GroupType": "domain", "AddressList": "a.*.example.com"}, "ErrorParamDomain"),
        ({"GroupType": "ip", "AddressList": "fd00::/8"}, "ErrorParametersGroupAddress"),
        ({"GroupType": "port", "AddressList": "http"}, "ErrorParametersGroupPort"),
        ({"GroupType": "names", "AddressList": "a"}, "ErrorParametersGroupType"),
    ):
        wanted = {"GroupName": "other", "Description": "d", **said}
        assert asking.refused("AddAddressBook", **wanted) == code


@pytest.mark.parametrize(("number", "code"), [(1999, None), (2000, None), (2001, "ErrorAddressCountExceed")])
def test_address_book_is_full(number: int, code: str | None) -> None:
    """Guards against a limit that is off by one."""
    hosts = ",".join(f"h{each}.example.com" for each in range(number))
    said = {"GroupName": "hosts", "GroupType": "domain", "AddressList": hosts, "Description": "d"}
    if code is None:
        Asking().do("AddAddressBook", **said)
    else:
        assert Asking().refused("AddAddressBook", **said) == code


def _with_books() -> Leaving:
    asking = Leaving()
    asking.book("nodes", "ip", "10.0.1.0/24")
    asking.book("hosts", "domain", "a.example.com")
    asking.book("wild", "domain", "*.example.com")
    asking.book("ranges", "ip", "203.0.113.0/24")
    asking.book("ports", "port", "443")
    return asking


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"AclAction": "allow"}, "ErrorParametersAction"),
        ({"Direction": "in"}, "ErrorParametersDirection"),
        ({"Proto": "tcp"}, "ErrorParametersProto"),
        ({"Proto": "UDP"}, "ErrorParametersApplicationNameList"),
        ({"ApplicationNameList.1": "https"}, "ErrorParametersApplicationNameList"),
        ({"ApplicationNameList.1": "ANY"}, "ErrorEmptyDomainResolveType"),
        ({"ApplicationNameList.1": "Redis"}, "ErrorEmptyDomainResolveType"),
        ({"ApplicationNameList.1": "FTP", "DomainResolveType": "1"}, "ErrorParametersFtpNotSupport"),
        ({"Destination": "wild", "DomainResolveType": "1"}, "ErrorDomainResolve"),
        (
            {"Destination": "*.a.example.com", "DestinationType": "domain", "DomainResolveType": "1"},
            "ErrorDomainResolve",
        ),
        ({"Destination": "nobody"}, "ErrorAddressGroupNotExist"),
        ({"Destination": "ports"}, "ErrorParametersDestination"),
        ({"Destination": "::/0", "DestinationType": "net"}, "ErrorParametersDestination"),
        ({"Source": "hosts"}, "ErrorParametersSource"),
        ({"DestPort": "443-444"}, "ErrorParametersDestPort"),
        ({"DestPort": "", "DestPortType": "group", "DestPortGroup": "hosts"}, "ErrorParametersGroupPort"),
        ({"IpVersion": "6"}, "ErrorParameterIpVersion"),
        ({"NewOrder": "0"}, "ErrorParametersNewOrder"),
        ({"NewOrder": "2"}, "ErrorParametersNewOrder"),
    ],
)
def test_policy_in_wrong_words(other: dict[str, str], code: str) -> None:
    """Guards against words that the plugin lets pass and the API does not."""
    asking = _with_books()
    assert asking.refused("CreateNatFirewallControlPolicy", **asking.policy(**other)) == code


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"Destination": "wild"},
        {"ApplicationNameList.1": "Redis", "DomainResolveType": "1"},
        {"ApplicationNameList.1": "ANY", "DomainResolveType": "1"},
        {"ApplicationNameList.1": "ANY", "Destination": "ranges"},
        {"DestPort": "", "DestPortType": "group", "DestPortGroup": "ports"},
        {"Proto": "ANY", "ApplicationNameList.1": "ANY", "Destination": ANYWHERE, "DestinationType": "net"},
        {"NewOrder": "-1"},
    ],
)
def test_policy_in_right_words(other: dict[str, str]) -> None:
    """Guards against a stand-in that refuses what is right."""
    asking = _with_books()
    asking.do("CreateNatFirewallControlPolicy", **asking.policy(**other))


def test_order_of_policies() -> None:
    """Guards against positions that the API does not have: an insertion moves the others, and there are no gaps."""
    asking = _with_books()
    made = {
        name: asking.do("CreateNatFirewallControlPolicy", **asking.policy(Description=name, NewOrder=order))["AclUuid"]
        for name, order in (("a", "1"), ("b", "2"), ("c", "1"))
    }
    assert asking.orders() == ["c", "a", "b"]
    move = {"NatGatewayId": asking.ngw, "Direction": "out", "AclUuid": made["b"]}
    asking.do("ModifyNatFirewallControlPolicyPosition", **move, NewOrder="1")
    assert asking.orders() == ["b", "c", "a"]
    for order in ("0", "4"):
        refused = asking.refused("ModifyNatFirewallControlPolicyPosition", **move, NewOrder=order)
        assert refused == "ErrorParametersNewOrder"
    asking.do("DeleteNatFirewallControlPolicy", **move)
    assert asking.orders() == ["c", "a"]
    assert asking.refused("DeleteNatFirewallControlPolicy", **move) == "ErrorParametersAclUuid"


def test_book_in_use_stays() -> None:
    """Guards against a book that goes before its policy; and by its name it is what policies say."""
    asking = _with_books()
    made = asking.do("CreateNatFirewallControlPolicy", **asking.policy())["AclUuid"]
    book = asking.cloud.firewall.books.named("hosts").id
    assert asking.refused("DeleteAddressBook", GroupUuid=book) == "ErrorAddressGroupReference"
    renamed = {"GroupUuid": book, "GroupName": "other", "Description": "d"}
    assert asking.refused("ModifyAddressBook", **renamed) == "ErrorParameters"
    asking.do("DeleteNatFirewallControlPolicy", NatGatewayId=asking.ngw, Direction="out", AclUuid=made)
    asking.do("DeleteAddressBook", GroupUuid=book)
    assert asking.refused("DeleteAddressBook", GroupUuid=book) == "ErrorAddressGroupNotExist"


def test_spread_of_policies() -> None:
    """Guards against a quota of policies that nobody counts: sources times destinations."""
    asking = _with_books()
    asking.cloud.firewall.nat_policies.spread = 2
    asking.book("two", "domain", "a.example.com", "b.example.com")
    asking.do("CreateNatFirewallControlPolicy", **asking.policy(Destination="two"))
    refused = asking.refused("CreateNatFirewallControlPolicy", **asking.policy())
    assert refused == "ErrorAclExtendedCountExceed"


def test_firewall_diverts_while_it_is_on() -> None:
    """Guards against a stand-in in which a firewall changes no route, so that nothing drifts."""
    asking = Leaving()
    proxy = asking.do("CreateSecurityProxy", **asking.firewall())["ProxyId"]
    assert asking.hop(asking.egress) == asking.ngw
    asking.do("SwitchSecurityProxy", ProxyId=proxy, Switch="open")
    assert asking.hop(asking.egress) not in {asking.ngw, ""}
    listed = asking.do("DescribeNatFirewallList", ProxyId=proxy)["NatFirewallList"][0]
    assert listed["NatRouteEntryList"][0]["NextHopId"] == asking.ngw
    assert asking.refused("DeleteVSwitch", VSwitchId=asking.own) == "DependencyViolation"
    asking.do("DeleteSecurityProxy", ProxyId=proxy)
    assert asking.hop(asking.egress) == asking.ngw
    asking.do("DeleteVSwitch", VSwitchId=asking.own)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"ProxyName": "ce-test"}, "ErrorParameters"),
        ({"ProxyName": "_test"}, "ErrorParameters"),
        ({"NatGatewayId": "ngw-nobody"}, "ErrorNatGatewayNotExist"),
        ({"NatRouteEntryList.1.NextHopId": "ngw-nobody"}, "ErrorNatFirewallPreCheckFailed"),
        ({"NatRouteEntryList.1.DestinationCidr": "10.9.0.0/16"}, "ErrorNatFirewallPreCheckFailed"),
    ],
)
def test_firewall_with_wrong_words(other: dict[str, str], code: str) -> None:
    """Guards against a firewall for nothing."""
    asking = Leaving()
    assert asking.refused("CreateSecurityProxy", **asking.firewall(**other)) == code


def test_firewall_needs_a_gateway_that_sends() -> None:
    """Guards against a firewall that comes before address and SNAT entry, or beside DNAT entries."""
    asking = Leaving()
    asking.cloud.vpc.nat.gateways[asking.ngw].forwards = 1
    assert asking.refused("CreateSecurityProxy", **asking.firewall()) == "ErrorNatFirewallPreCheckFailed"
    asking.cloud.vpc.nat.gateways[asking.ngw].forwards = 0
    asking.do("DeleteSnatEntry", SnatEntryId=asking.entry)
    assert asking.refused("CreateSecurityProxy", **asking.firewall()) == "ErrorNatFirewallPreCheckFailed"
    asking.do("UnassociateEipAddress", AllocationId=asking.eip, InstanceId=asking.ngw)
    assert asking.refused("CreateSecurityProxy", **asking.firewall()) == "ErrorNatFirewallPreCheckFailed"


def test_firewall_needs_a_vswitch_for_itself() -> None:
    """Guards against a vSwitch with others in it, in another zone, or on a table that is not its own."""
    asking = Leaving()
    elsewhere, small = asking.vswitch("10.0.5.0/28", f"{REGION}-i"), asking.vswitch("10.0.5.16/29")
    without, default, shared, beside = (asking.vswitch(f"10.0.{each}.0/28") for each in (6, 7, 8, 9))
    for alone in (elsewhere, small):
        asking.table(alone)
    asking.table(shared, beside)
    asking.route(asking.table(default), asking.ngw)
    for vswitch, code in (
        (elsewhere, "ErrorParameters"),
        (small, "ErrorParameters"),
        (without, "ErrorParameters"),
        (shared, "ErrorParameters"),
        (asking.nodes, "ErrorParameters"),
        (default, "ErrorDefaultRouteConflicts"),
    ):
        assert asking.refused("CreateSecurityProxy", **asking.firewall(VswitchId=vswitch)) == code, vswitch


def test_one_firewall_a_gateway() -> None:
    """Guards against a replacement that comes before the old one is gone, and against licences without end."""
    asking = Leaving()
    asking.cloud.firewall.firewalls.licences = 1
    proxy = asking.do("CreateSecurityProxy", **asking.firewall())["ProxyId"]
    assert asking.refused("CreateSecurityProxy", **asking.firewall()) == "ErrorProxyAlreadyExist"
    asking.do("DeleteSecurityProxy", ProxyId=proxy)
    asking.cloud.firewall.firewalls.licences = 0
    assert asking.refused("CreateSecurityProxy", **asking.firewall()) == "ErrorNatFirewallQuotaExceed"


def test_internet_boundary_has_its_own_words() -> None:
    """Guards against `DomainResolveType` as a number where it is a word; and each direction has its own order."""
    asking = _with_books()
    said = {name: value for name, value in asking.policy().items() if name != "NatGatewayId"}
    assert asking.refused("AddControlPolicy", **said, DomainResolveType="1") == "ErrorParameters"
    made = asking.do("AddControlPolicy", **said, DomainResolveType="FQDN")["AclUuid"]
    asking.do("AddControlPolicy", **said | {"NewOrder": "-1", "DomainResolveType": "FQDN"})
    asking.do("ModifyControlPolicyPriority", AclUuid=made, Direction="out", Order="2")
    found = asking.do("DescribeControlPolicy", AclUuid=made, Direction="out")["Policys"]
    assert [(each["AclUuid"], each["Order"]) for each in found] == [(made, 2)]
    sideways = asking.refused("AddControlPolicy", **said | {"Direction": "sideways"})
    assert sideways == "ErrorParametersDirection"
