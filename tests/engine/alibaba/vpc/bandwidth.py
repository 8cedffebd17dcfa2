"""Bandwidth that addresses share."""

from dataclasses import dataclass

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused
from tests.engine.alibaba.state import Ids, Shelf, Tags
from tests.engine.alibaba.vpc.eips import Eips


@dataclass(kw_only=True)
class Package:
    """Bandwidth that addresses share."""

    id: str
    name: str
    description: str
    bandwidth: str
    charged_by: str


class BandwidthPackages:
    """The packages of the account."""

    def __init__(self, *, eips: Eips, ids: Ids, tags: Tags) -> None:
        self.packages: Shelf[Package] = Shelf("InvalidBandwidthPackageId.NotFound")
        self._eips, self._ids, self._tags = eips.eips, ids, tags

    def actions(self) -> Actions:
        """The calls."""
        return {
            "CreateCommonBandwidthPackage": self._create,
            "DescribeCommonBandwidthPackages": self._describe,
            "ModifyCommonBandwidthPackageAttribute": self._modify,
            "ModifyCommonBandwidthPackageSpec": self._modify,
            "DeleteCommonBandwidthPackage": self._delete,
            "AddCommonBandwidthPackageIp": self._add,
            "RemoveCommonBandwidthPackageIp": self._remove,
        }

    def _create(self, p: Parameters) -> Answer:
        package = Package(
            id=self._ids.new("cbwp"),
            name=p.get("Name"),
            description=p.get("Description"),
            bandwidth=p["Bandwidth"],
            charged_by=p.get("InternetChargeType", "PayByBandwidth"),
        )
        self.packages.put(package.id, package)
        self._tags.add(package.id, p)
        return {"BandwidthPackageId": package.id}

    def _describe(self, p: Parameters) -> Answer:
        found = [self._shown(each) for each in self.packages.read(p["BandwidthPackageId"])]
        return {"CommonBandwidthPackages": {"CommonBandwidthPackage": found}}

    def _shown(self, package: Package) -> Answer:
        inside = [{"AllocationId": each.id} for each in self._eips if each.package == package.id]
        return {
            "BandwidthPackageId": package.id,
            "Name": package.name,
            "Description": package.description,
            "Bandwidth": package.bandwidth,
            "InternetChargeType": package.charged_by,
            "PublicIpAddresses": {"PublicIpAddresse": inside},
            "DeletionProtection": False,
            "InstanceChargeType": "PostPaid",
            "ISP": "BGP",
            "Ratio": 100,
            "ResourceGroupId": "rg-default",
            "Status": "Available",
            "CreationTime": "2026-11-23T00:00:00Z",
        }

    def _modify(self, p: Parameters) -> Answer:
        package = self.packages[p["BandwidthPackageId"]]
        package.name, package.description = p.get("Name", package.name), p.get("Description", package.description)
        package.bandwidth = p.get("Bandwidth", package.bandwidth)
        return {}

    def _delete(self, p: Parameters) -> Answer:
        package = self.packages[p["BandwidthPackageId"]]
        if any(each.package == package.id for each in self._eips):
            # DeleteCommonBandwidthPackage: without `Force` only an empty one. The document's code is not known here.
            raise Refused("OperationDenied.AddressesInPackage", "The package has addresses.")
        self.packages.take(package.id)
        return {}

    def _add(self, p: Parameters) -> Answer:
        eip = self._eips[p["IpInstanceId"]]
        if eip.package:
            raise Refused("OperationDenied.InAnotherPackage", "The address is in a package.")  # code: not known here
        eip.package = self.packages[p["BandwidthPackageId"]].id
        return {}

    def _remove(self, p: Parameters) -> Answer:
        eip = self._eips[p["IpInstanceId"]]
        if eip.package != p["BandwidthPackageId"]:
            raise Refused("OperationUnsupported.IpNotInCbwp", "The address is not in the package.")
        eip.package = ""
        return {}
