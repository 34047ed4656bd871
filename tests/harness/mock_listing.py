"""ListBuckets of the mock: with a parameter it shows each bucket's Region, in pages, as AWS does; moto does neither.
ListObjectVersions goes on behind a key of which there is nothing; moto would leave one out there.
"""
import re

import moto.s3.models as models
import xmltodict

PAGE = 25  # AWS's is 10,000
PAGE_OF_VERSIONS = 5  # AWS's is 1,000


def all_buckets(self):
    """Without parameters names only, as ever."""
    wanted, token = self._get_param("bucket-region"), self._get_param("continuation-token")
    page = min(int(self._get_param("max-buckets") or PAGE), PAGE)
    signed = re.search(r"Credential=[^/]+/\d+/([^/]+)/s3/", self.headers.get("Authorization", ""))[1]
    if wanted and wanted != signed:
        return 400, {}, xmltodict.unparse({"Error": {"Code": "InvalidArgument", "Message": "the endpoint is of another Region"}})
    buckets = sorted(self.backend.list_buckets(prefix=None, bucket_region=wanted, max_buckets=None), key=lambda bucket: bucket.name)
    answer, show = {}, wanted or token or self._get_param("max-buckets")  # any parameter (S3 API reference, ListBuckets)
    if show:
        buckets = [bucket for bucket in buckets if not token or bucket.name > token]
        if len(buckets) > page:
            buckets = buckets[:page]
            answer["ContinuationToken"] = buckets[-1].name
    entry = lambda bucket: {"Name": bucket.name, "CreationDate": bucket.creation_date_ISO8601, **({"BucketRegion": bucket.region_name} if show else {})}
    answer = {"Owner": {"ID": "bcaf1ffd86f41161ca5fb16fd081034f"}, "Buckets": {"Bucket": [entry(bucket) for bucket in buckets]}, **answer}
    return 200, {}, xmltodict.unparse({"ListAllMyBucketsResult": answer})


moto_versions = models.S3Backend.list_object_versions


def list_object_versions(self, bucket_name, delimiter=None, key_marker=None, max_keys=1000, prefix="", version_id_marker=None):
    if not key_marker or version_id_marker or delimiter:
        page = max_keys if delimiter or version_id_marker else min(max_keys or PAGE_OF_VERSIONS, PAGE_OF_VERSIONS)
        return moto_versions(self, bucket_name, delimiter, key_marker, page, prefix, version_id_marker)
    versions, _, markers, _, _ = moto_versions(self, bucket_name, None, None, None, prefix, None)
    found = sorted((one for one in [*versions, *markers] if one.name > key_marker), key=lambda one: one.name)
    page = found[:min(max_keys or PAGE_OF_VERSIONS, PAGE_OF_VERSIONS)]
    more = (page[-1].name, page[-1].version_id) if len(found) > len(page) else (None, None)
    return [one for one in page if one in versions], [], [one for one in page if one in markers], *more
