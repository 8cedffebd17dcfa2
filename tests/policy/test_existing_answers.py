"""What is missing of the answers for a VPC that exists already: a file, a page, the entries of a gateway."""

from typing import Any, Final

import pytest
from existing_network import FOLDER, add, files, listed, told
from existing_network_changes import elastic

NOT_MISSED: Final = {
    "address-books-port": "EGR709 misses a book that a policy names, and this one is empty",
    "address-books-domain": "EGR709",
    "address-books-ip": "EGR709",
    "nat-firewalls": "EGR715",
    "nat-policies-ngw-egress": "EGR705",
    "network-policies": "a cluster may have none",
    "pod-eips": "without the controller there are none",
    "pod-networkings": "without Terway there are none",
}
"""The files whose absence EGR791 does not tell, as docs/checking-a-vpc.md says, and why."""


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.iterdir()))
def test_a_file_that_is_missing_is_missed(name: str) -> None:
    """Guards against a way out that is not judged because nobody asked, and a check that passes all the same."""
    given = files()
    del given[name]
    rules = {line.partition(" ")[0] for line in told(given)}
    assert ("EGR791" in rules) == (name not in NOT_MISSED)
    if NOT_MISSED.get(name, "").startswith("EGR"):
        named = NOT_MISSED[name].partition(" ")[0]
        assert (named in rules) == (listed(files(), name) != [])


def test_an_error_makes_no_address_foreign() -> None:
    """Guards against an EIP that passes beside an answer that is an error, because no API shows what it is on."""
    given = files()
    elastic("havip-1", "HaVip")(given)
    given["error"] = {"RequestId": "a", "Code": "Forbidden.RAM", "Message": "not authorized"}
    assert {line.partition(":")[0] for line in told(given)} == {
        "EGR712 EipAssociation eip-9",
        "EGR790 answer (unnamed)",
    }


def test_pods_that_a_program_declares_do_not_run() -> None:
    """Guards against pods that count as running because their manifests are here."""
    given = files()
    for pod in listed(given, "pods"):
        del pod["metadata"]["uid"]
    assert "EGR791 unanswered pods: none that runs is here" in told(given)


def _with_two_gateways() -> dict[str, Any]:
    given = files()
    second = {"NatGatewayId": "ngw-2", "SnatTableIds": {"SnatTableId": ["stb-2"]}, "ForwardTableIds": {}}
    add(given, "nat-gateways", listed(given, "nat-gateways")[0] | second)
    given["dnat-2"] = {"ForwardTableEntries": {"ForwardTableEntry": []}}
    return given


def _missed(given: dict[str, Any]) -> list[str]:
    return [line for line in told(given) if line.startswith("EGR791")]


def test_the_entries_of_one_gateway_are_not_those_of_two() -> None:
    """Guards against the file of the first NAT gateway that is taken for the second one's as well."""
    given = _with_two_gateways()
    given["snat-again"] = given["snat-ngw-egress"]
    missed = "EGR791 unanswered DescribeSnatTableEntries: is here for 1 of 2 NAT gateways"
    assert _missed(given) == [missed]
    given["snat-again"] = {"SnatTableEntries": {"SnatTableEntry": []}}
    assert _missed(given) == []
    given["snat-again"] = {
        "SnatTableEntries": {"SnatTableEntry": [{"SnatEntryId": "snat-9", "SnatTableId": "stb-2"}]},
    }
    assert _missed(given) == []


def test_the_policies_of_two_gateways_are_counted_apart() -> None:
    """Guards against the first pages of two NAT gateways that together look like all policies of one."""
    given = files()
    first = given["nat-policies-ngw-egress"]
    others = [policy | {"NatGatewayId": "ngw-2", "AclUuid": f"{policy['AclUuid']}-2"} for policy in first["Policys"]]
    first["TotalCount"] = "5"
    given["nat-policies-2"] = {"TotalCount": "5", "Policys": others}
    missing = "EGR790 answer DescribeNatFirewallControlPolicy: there are 5 items, and 3 of them are here"
    assert [line for line in told(given) if line.startswith("EGR790")] == [missing, missing]
