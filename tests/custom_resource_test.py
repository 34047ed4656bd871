"""Runs the custom resource's Python against a small fake of S3: every request CloudFormation may send, in the orders it
sends them. Takes nothing, or the path of a generated template whose inline code is to be run instead of the source.

    python3 tests/custom_resource_test.py [TEMPLATE]
"""
import pathlib
import sys
import types
import unittest

SOURCE = pathlib.Path(__file__).parent.parent / "templates/cloudformation/access_logging.py"


OWNER = "111122223333"


class ClientError(Exception):
    def __init__(self, code):
        super().__init__("An error occurred (%s)" % code)
        self.response = {"Error": {"Code": code}}


class ParamValidationError(Exception):
    pass


class FakeS3:
    """The logging of some buckets; counts what is written."""

    def __init__(self, **buckets):
        self.buckets, self.puts, self.errors, self.old = buckets, 0, [], False

    def get_bucket_logging(self, Bucket, ExpectedBucketOwner):
        if ExpectedBucketOwner != OWNER:
            raise ClientError("AccessDenied")
        if self.errors:
            raise ClientError(self.errors.pop(0))
        if Bucket not in self.buckets:
            raise ClientError("NoSuchBucket")
        on = self.buckets[Bucket]
        return {"LoggingEnabled": on} if on else {}

    def put_bucket_logging(self, Bucket, ExpectedBucketOwner, BucketLoggingStatus):
        if ExpectedBucketOwner != OWNER:
            raise ClientError("AccessDenied")
        on = BucketLoggingStatus.get("LoggingEnabled")
        if self.old and on and "TargetObjectKeyFormat" in on:
            raise ParamValidationError('Unknown parameter in input: "TargetObjectKeyFormat"')
        self.puts += 1
        self.buckets[Bucket] = on


def code():
    if len(sys.argv) < 2:
        return SOURCE.read_text()
    lines = pathlib.Path(sys.argv[1]).read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip() == "ZipFile: |") + 1
    body = []
    for line in lines[start:]:
        if line and not line.startswith(" " * 10):
            break
        body.append(line[10:])
    return "\n".join(body)


CODE = code()


def logs_to(target="logs", prefix="p/", date="EventTime"):
    on = {"TargetBucket": target, "TargetPrefix": prefix}
    if date:
        on["TargetObjectKeyFormat"] = {"PartitionedPrefix": {"PartitionDateSource": date}}
    return on


def properties(source="web", target="logs", prefix="p/", layout="partitioned-event-time"):
    return {"Source": source, "Target": target, "Prefix": prefix, "KeyFormat": layout}


class CustomResource(unittest.TestCase):
    def run_event(self, s3, kind, new, physical=None, old=None, stack_owner=OWNER):
        answers = []
        response = types.ModuleType("cfnresponse")
        response.SUCCESS, response.FAILED = "SUCCESS", "FAILED"
        response.send = lambda event, context, status, data, physicalResourceId=None, noEcho=False, reason=None: answers.append(
            (status, physicalResourceId, reason))
        boto3 = types.ModuleType("boto3")
        boto3.client = lambda name, config=None: s3
        config, exceptions = types.ModuleType("botocore.config"), types.ModuleType("botocore.exceptions")
        config.Config = lambda **kw: None
        exceptions.ClientError, exceptions.ParamValidationError = ClientError, ParamValidationError
        modules = {"boto3": boto3, "cfnresponse": response, "botocore": types.ModuleType("botocore"),
                   "botocore.config": config, "botocore.exceptions": exceptions}
        saved = {name: sys.modules.get(name) for name in modules}
        sys.modules.update(modules)
        try:
            function = {}
            exec(compile(CODE, "index.py", "exec"), function)
            function["time"] = types.SimpleNamespace(sleep=lambda seconds: None)
            event = {"RequestType": kind, "RequestId": "r1", "ResourceProperties": new,
                     "StackId": "arn:aws:cloudformation:eu-west-1:%s:stack/logs/1" % stack_owner}
            if physical:
                event["PhysicalResourceId"] = physical
            if old:
                event["OldResourceProperties"] = old
            function["handler"](event, None)
        finally:
            for name, module in saved.items():
                if module is None:
                    del sys.modules[name]
                else:
                    sys.modules[name] = module
        self.assertEqual(len(answers), 1, "exactly one answer")
        return answers[0]

    def test_create_turns_on(self):
        s3 = FakeS3(web=None)
        self.assertEqual(self.run_event(s3, "Create", properties())[:2], ("SUCCESS", "web"))
        self.assertEqual(s3.buckets["web"], logs_to())

    def test_a_bucket_of_another_account_is_not_touched(self):
        s3 = FakeS3(web=None)
        status, _, reason = self.run_event(s3, "Create", properties(), stack_owner="444455556666")
        self.assertEqual((status, s3.puts), ("FAILED", 0))
        self.assertIn("AccessDenied", reason)

    def test_simple_names_no_key_format(self):
        s3 = FakeS3(web=None)
        s3.old = True
        self.assertEqual(self.run_event(s3, "Create", properties(layout="simple"))[0], "SUCCESS")
        self.assertEqual(s3.buckets["web"], logs_to(date=None))

    def test_delivery_time(self):
        s3 = FakeS3(web=None)
        self.run_event(s3, "Create", properties(layout="partitioned-delivery-time"))
        self.assertEqual(s3.buckets["web"], logs_to(date="DeliveryTime"))

    def test_create_refuses_foreign_logging_and_rollback_leaves_it(self):
        s3 = FakeS3(web=logs_to("other"))
        status, physical, reason = self.run_event(s3, "Create", properties())
        self.assertEqual(status, "FAILED")
        self.assertIn("s3://other/p/", reason)
        self.assertEqual(self.run_event(s3, "Delete", properties(), physical)[0], "SUCCESS")
        self.assertEqual((s3.buckets["web"], s3.puts), (logs_to("other"), 0))

    def test_create_refuses_another_key_format_of_someone_else(self):
        s3 = FakeS3(web=logs_to(date="DeliveryTime"))
        self.assertEqual(self.run_event(s3, "Create", properties())[0], "FAILED")
        self.assertEqual(s3.puts, 0)

    def test_found_setting_is_taken_and_left_on_delete(self):
        s3 = FakeS3(web=logs_to())
        status, physical, _ = self.run_event(s3, "Create", properties())
        self.assertEqual((status, s3.puts), ("SUCCESS", 0))
        self.assertEqual(self.run_event(s3, "Delete", properties(), physical)[0], "SUCCESS")
        self.assertEqual((s3.buckets["web"], s3.puts), (logs_to(), 0))

    def test_found_setting_becomes_ours_when_we_change_it(self):
        s3 = FakeS3(web=logs_to())
        _, found, _ = self.run_event(s3, "Create", properties())
        _, ours, _ = self.run_event(s3, "Update", properties(prefix="q/"), found, properties())
        self.assertEqual(ours, "web")
        # the new id makes CloudFormation delete the old one, which must not undo the change
        self.run_event(s3, "Delete", properties(), found)
        self.assertEqual(s3.buckets["web"], logs_to(prefix="q/"))

    def test_update_replaces_its_own(self):
        s3 = FakeS3(web=logs_to())
        answer = self.run_event(s3, "Update", properties(target="new"), "web", properties())
        self.assertEqual(answer[:2], ("SUCCESS", "web"))
        self.assertEqual(s3.buckets["web"], logs_to("new"))

    def test_update_turns_on_what_was_turned_off(self):
        s3 = FakeS3(web=None)
        self.assertEqual(self.run_event(s3, "Update", properties(), "web", properties(prefix="q/"))[0], "SUCCESS")
        self.assertEqual(s3.buckets["web"], logs_to())

    def test_update_that_is_done_already_keeps_the_id(self):
        s3 = FakeS3(web=logs_to("new"))
        answer = self.run_event(s3, "Update", properties(target="new"), "web", properties())
        self.assertEqual((answer[:2], s3.puts), (("SUCCESS", "web"), 0))

    def test_update_refuses_drift(self):
        s3 = FakeS3(web=logs_to("other"))
        answer = self.run_event(s3, "Update", properties(prefix="q/"), "web", properties())
        self.assertEqual((answer[:2], s3.puts), (("FAILED", "web"), 0))

    def test_replacement_and_the_delete_that_follows(self):
        s3 = FakeS3(web=logs_to(), api=None)
        _, physical, _ = self.run_event(s3, "Update", properties("api"), "web", properties("web"))
        self.assertEqual(physical, "api")
        self.assertEqual(self.run_event(s3, "Delete", properties("web"), "web")[0], "SUCCESS")
        self.assertEqual(s3.buckets, {"web": None, "api": logs_to()})

    def test_replacement_never_takes_over_the_new_source(self):
        s3 = FakeS3(web=logs_to("old"), api=logs_to("old"))
        answer = self.run_event(s3, "Update", properties("api"), "web", properties("web", "old"))
        self.assertEqual((answer[:2], s3.puts), (("FAILED", "web"), 0))

    def test_delete_turns_off_only_its_own(self):
        for on, left in ((logs_to(), None), (logs_to("other"), logs_to("other")), (logs_to(prefix="q/"), logs_to(prefix="q/"))):
            s3 = FakeS3(web=on)
            self.assertEqual(self.run_event(s3, "Delete", properties(), "web")[:2], ("SUCCESS", "web"))
            self.assertEqual(s3.buckets["web"], left)

    def test_delete_of_a_bucket_that_is_gone(self):
        self.assertEqual(self.run_event(FakeS3(), "Delete", properties(), "web")[0], "SUCCESS")

    def test_delete_with_an_id_never_confirmed(self):
        s3 = FakeS3(web=logs_to())
        self.assertEqual(self.run_event(s3, "Delete", properties(), "2026/11/21/[$LATEST]0")[0], "SUCCESS")
        self.assertEqual(s3.puts, 0)

    def test_create_of_a_bucket_that_is_not_there(self):
        status, physical, reason = self.run_event(FakeS3(), "Create", properties())
        self.assertEqual((status, "NoSuchBucket" in reason), ("FAILED", True))
        self.assertNotEqual(physical, "web")

    def test_a_stack_that_fails_to_be_made_undoes_what_it_did(self):
        s3 = FakeS3(web=None)
        _, physical, _ = self.run_event(s3, "Create", properties())
        self.assertEqual(self.run_event(s3, "Delete", properties(), physical)[0], "SUCCESS")
        self.assertEqual(s3.buckets, {"web": None})

    def test_an_update_that_is_rolled_back(self):
        """CloudFormation sends the update again, with old and new changed over."""
        s3 = FakeS3(web=logs_to())
        old, new = properties(), properties("web", "other", "q/", "simple")
        self.assertEqual(self.run_event(s3, "Update", new, "web", old)[:2], ("SUCCESS", "web"))
        self.assertEqual(s3.buckets["web"], logs_to("other", "q/", None))
        self.assertEqual(self.run_event(s3, "Update", old, "web", new)[:2], ("SUCCESS", "web"))
        self.assertEqual(s3.buckets["web"], logs_to())

    def test_a_refused_update_and_its_rollback_leave_foreign_logging(self):
        s3 = FakeS3(web=logs_to("other"))
        old, new = properties(), properties(prefix="q/")
        self.assertEqual(self.run_event(s3, "Update", new, "web", old)[0], "FAILED")
        self.assertEqual(self.run_event(s3, "Update", old, "web", new)[:2], ("FAILED", "web"))
        self.assertEqual((s3.buckets["web"], s3.puts), (logs_to("other"), 0))

    def test_a_replacement_that_is_rolled_back(self):
        """The new resource is deleted; the old one was never touched."""
        s3 = FakeS3(web=logs_to(), api=None)
        _, physical, _ = self.run_event(s3, "Update", properties("api"), "web", properties("web"))
        self.run_event(s3, "Update", properties("web"), physical, properties("api"))
        self.assertEqual(self.run_event(s3, "Delete", properties("api"), physical)[0], "SUCCESS")
        self.assertEqual(s3.buckets, {"web": logs_to(), "api": None})

    def test_errors_of_s3_are_answered_in_every_request(self):
        for kind, physical, old in (("Create", None, None), ("Update", "web", properties()), ("Delete", "web", None)):
            s3 = FakeS3(web=logs_to() if physical else None)
            s3.errors = ["InternalError"]
            status, answered, reason = self.run_event(s3, kind, properties(prefix="q/") if old else properties(), physical, old)
            self.assertEqual((status, s3.puts, "InternalError" in reason), ("FAILED", 0, True))
            self.assertEqual(answered, physical or "not-made-r1")

    def test_any_text_is_a_prefix(self):
        prefix = "$(x)`'\"\\ ${AWS::Region} !Sub #: \u2028/"
        s3 = FakeS3(web=None)
        self.run_event(s3, "Create", properties(prefix=prefix))
        self.assertEqual(s3.buckets["web"], logs_to(prefix=prefix))
        status, _, reason = self.run_event(FakeS3(web=logs_to(prefix="x" * 3000)), "Create", properties())
        self.assertEqual((status, len(reason) <= 900), ("FAILED", True))

    def test_old_boto3_fails_clearly(self):
        s3 = FakeS3(web=None)
        s3.old = True
        status, _, reason = self.run_event(s3, "Create", properties())
        self.assertEqual((status, "boto3" in reason), ("FAILED", True))

    def test_a_new_role_is_waited_for(self):
        s3 = FakeS3(web=None)
        s3.errors = ["AccessDenied", "AccessDenied"]
        self.assertEqual(self.run_event(s3, "Create", properties())[0], "SUCCESS")
        s3 = FakeS3(web=None)
        s3.errors = ["AccessDenied"] * 50
        self.assertEqual(self.run_event(s3, "Create", properties())[0], "FAILED")

    def test_nonsense_is_answered(self):
        self.assertEqual(self.run_event(FakeS3(), "Create", {})[0], "FAILED")
        self.assertEqual(self.run_event(FakeS3(web=None), "Create", properties(layout="other"))[0], "FAILED")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
