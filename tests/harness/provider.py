"""A stand-in for Terraform's AWS provider: plugin protocol 6, the schema of provider_schema.py, no AWS behind it.

Real Terraform core starts it (terraform.py writes the command).  It validates, plans, imports, and applies to the state alone.
Ids, ARNs and Regions that follow from the configuration are known at plan time already, so that the harness can follow
every reference in the plan.  Its one argument is the provider's major version: in 5 a resource has no `region` of its own.
"""
import base64
import json
import os
import re
import sys
import tempfile
import time
from concurrent import futures

import grpc
import msgpack
from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, grpc_stdio_pb2_grpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc
from tf.runner import _self_signed_cert

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from provider_schema import DATA, PROVIDER, RESOURCES, Block

TYPES = {"string": '"string"', "bool": '"bool"', "number": '"number"', "map": '["map","string"]', "list": '["list","string"]', "set": '["set","string"]'}
NESTING = {"single": 1, "list": 2, "set": 3}
UNKNOWN = msgpack.ExtType(0, b"\0")

# documented import ids of what is no bucket and no trail: their form, and the attributes that they give
TOPIC = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+"
IMPORTS = {"aws_ssm_parameter": (r"[\w./-]+", ["name"]), "aws_sns_topic": (TOPIC, ["arn"]), "aws_sns_topic_policy": (TOPIC, ["arn"]),
           "aws_cloudwatch_event_rule": (r"[\w.-]+", ["name"]), "aws_cloudwatch_event_target": (r"[\w.-]+/[\w.-]+", ["rule", "target_id"]),
           "aws_config_config_rule": (r"[\w-]+", ["name"]), "aws_glue_catalog_database": (r"\d{12}:\w+", ["id"]),
           "aws_glue_catalog_table": (r"\d{12}:\w+:\w+", ["id"])}


class Attribute:
    def __init__(self, text):
        self.type, *words = text.split()
        self.required, self.optional, self.computed, self.new = (word in words for word in ("required", "optional", "computed", "new"))
        options = dict(word.split("=", 1) for word in words if "=" in word)
        self.one_of = options["one-of"].split("|") if "one-of" in options else None
        default = options.get("default")
        self.default = {"true": True, "false": False}.get(default, default)


def parse(body):
    return {name: item if isinstance(item, Block) else Attribute(item) for name, item in body.items()}


def decode(value):
    return msgpack.unpackb(value.msgpack, strict_map_key=False) if value.msgpack else json.loads(value.json or b"null")


def encode(value):
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def error(summary, attribute=None):
    path = pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=attribute)]) if attribute else None
    return pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=summary, attribute=path)


def block(body):
    items = parse(body)
    return pb.Schema.Block(
        attributes=[pb.Schema.Attribute(name=name, type=TYPES[item.type].encode(), required=item.required, optional=item.optional, computed=item.computed)
                    for name, item in sorted(items.items()) if isinstance(item, Attribute)],
        block_types=[pb.Schema.NestedBlock(type_name=name, nesting=NESTING[item.nesting], min_items=item.least, max_items=item.most, block=block(item.body))
                     for name, item in sorted(items.items()) if isinstance(item, Block)])


def wrong(body, value):
    """Values outside their list, and values of what only AWS sets, wherever they are."""
    for name, item in parse(body).items():
        inner = value.get(name)
        if isinstance(item, Block):
            for entry in inner if isinstance(inner, list) else []:
                yield from wrong(item.body, entry)
        elif item.one_of and isinstance(inner, str) and inner not in item.one_of:
            yield error(f"expected {name} to be one of {item.one_of}, got {inner}", name)
        elif inner is not None and not (item.required or item.optional):
            yield error(f"{name} can't be configured", name)


def settle(body, value):
    """Fills in defaults, and says of what only AWS can know that it is unknown."""
    for name, item in parse(body).items():
        if isinstance(item, Block):
            for entry in value.get(name) or []:
                settle(item.body, entry)
        elif value.get(name) is None:
            value[name] = UNKNOWN if item.computed else item.default


def make_known(body, value):
    for name, item in parse(body).items():
        if isinstance(item, Block):
            for entry in value.get(name) or []:
                make_known(item.body, entry)
        elif value.get(name) == UNKNOWN:
            value[name] = {"string": "known-after-apply", "bool": False, "number": 0, "map": {}}.get(item.type, [])


def policy_document(config):
    """What `aws_iam_policy_document` gives of the arguments that the corpus uses."""
    statements = []
    for entry in config["statement"] or []:
        principal = {block["type"]: block["identifiers"] for block in entry["principals"] or []}
        statements.append({"Effect": entry["effect"] or "Allow", "Principal": principal, "Action": entry["actions"], "Resource": entry["resources"]})
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def partition(region):
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


class Provider(tfplugin_pb2_grpc.ProviderServicer):
    def __init__(self, major):
        region = "string optional computed new" if major >= 6 else "string computed"
        self.major = major
        self.resources = {name: {**body, "region": region} for name, body in RESOURCES.items()}
        # version 5 says `name` of a Region, and version 6 says `region`; `name` is deprecated there, and a warning is a failure
        gone = "name" if major >= 6 else "region"
        self.data = {**DATA, "aws_region": {name: item for name, item in DATA["aws_region"].items() if name != gone}}
        self.config = {}

    def GetMetadata(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "")

    def GetProviderSchema(self, request, context):
        schemas = lambda bodies: {name: pb.Schema(version=self.major, block=block(body)) for name, body in bodies.items()}
        return pb.GetProviderSchema.Response(provider=pb.Schema(block=block(PROVIDER)), provider_meta=pb.Schema(block=pb.Schema.Block()),
                                             resource_schemas=schemas(self.resources), data_source_schemas=schemas(self.data))

    def ValidateProviderConfig(self, request, context):
        return pb.ValidateProviderConfig.Response()

    def ConfigureProvider(self, request, context):
        self.config = decode(request.config)
        problems = [] if self.config.get("region") else [error("Missing region configuration")]
        problems += [error(f"{role} is not a role's ARN") for entry in self.config.get("assume_role") or []
                     if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", role := entry.get("role_arn") or "")]
        return pb.ConfigureProvider.Response(diagnostics=problems)

    def ValidateResourceConfig(self, request, context):
        return pb.ValidateResourceConfig.Response(diagnostics=wrong(self.resources[request.type_name], decode(request.config)))

    def ValidateDataResourceConfig(self, request, context):
        return pb.ValidateDataResourceConfig.Response()

    def UpgradeResourceState(self, request, context):
        """A state of version 5 has the Region of buckets only."""
        state = json.loads(request.raw_state.json)
        if request.version < 6 <= self.major and request.type_name != "aws_s3_bucket":
            state["region"] = None
        return pb.UpgradeResourceState.Response(upgraded_state=encode(state))

    def ReadResource(self, request, context):
        """Where no Region is known it is the provider's, as in version 6."""
        state = decode(request.current_state)
        if state is None or state.get("region"):
            return pb.ReadResource.Response(new_state=request.current_state)
        return pb.ReadResource.Response(new_state=encode(state | {"region": self.config["region"]}))

    def account(self):
        return (self.config.get("allowed_account_ids") or ["000000000000"])[0]

    def derive(self, kind, state):
        """What follows from the configuration alone."""
        if not isinstance(state.get("region"), str):
            state["region"] = self.config["region"]
        region = state["region"]
        if "tags" in state:
            defaults = ((self.config.get("default_tags") or [{}])[0] or {}).get("tags") or {}
            state["tags_all"] = {**defaults, **(state["tags"] or {})}
        if os.environ.get("HARNESS_UNKNOWN"):
            return
        if kind == "aws_cloudtrail" and isinstance(state["name"], str):
            state["arn"] = state["id"] = f"arn:{partition(region)}:cloudtrail:{region}:{self.account()}:trail/{state['name']}"
            state["home_region"] = region
        elif kind == "aws_sns_topic" and isinstance(state["name"], str):
            state["arn"] = state["id"] = f"arn:{partition(region)}:sns:{region}:{self.account()}:{state['name']}"
        elif isinstance(state.get("bucket"), str):
            state["id"] = state["bucket"]
            if kind == "aws_s3_bucket":
                state["arn"] = f"arn:{partition(region)}:s3:::{state['bucket']}"

    def PlanResourceChange(self, request, context):
        prior, state = decode(request.prior_state), decode(request.proposed_new_state)
        if state is None:
            return pb.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        body = self.resources[request.type_name]
        self.derive(request.type_name, state)
        settle(body, state)
        changed = [name for name, item in parse(body).items() if prior and isinstance(item, Attribute) and item.new
                   and prior.get(name) is not None and prior[name] != state[name]]
        return pb.PlanResourceChange.Response(planned_state=encode(state), legacy_type_system=True, requires_replace=[
            pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=name)]) for name in changed])

    def ImportResourceState(self, request, context):
        """The documented ids: a bucket's name or a trail's ARN, with `@region` from version 6 on."""
        kind, (name, _, region) = request.type_name, request.id.partition("@")
        state = dict.fromkeys(self.resources[kind]) | {key: [] for key, item in self.resources[kind].items() if isinstance(item, Block)}
        state |= {"id": name, "region": region or self.config["region"]}
        if kind == "aws_cloudtrail":
            shape, own = r"arn:aws[a-z-]*:cloudtrail:[a-z0-9-]+:\d{12}:trail/.+", {"name": name.rpartition("/")[2]}
        elif kind in IMPORTS:
            shape, keys = IMPORTS[kind]
            own = dict(zip(keys, name.split("/") if kind == "aws_cloudwatch_event_target" else [name] * len(keys)))
            own["name"] = name.rpartition(":")[2] if kind == "aws_sns_topic" else own.get("name")
            own = {key: value for key, value in own.items() if key in self.resources[kind]}
        else:
            shape, own = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", {"bucket": name}
        if not re.fullmatch(shape, name):
            return pb.ImportResourceState.Response(diagnostics=[error(f"`{request.id}` is no import id of {kind}")])
        imported = pb.ImportResourceState.ImportedResource(type_name=kind, state=encode(state | own))
        return pb.ImportResourceState.Response(imported_resources=[imported])

    def ReadDataSource(self, request, context):
        if request.type_name == "aws_iam_policy_document":
            return pb.ReadDataSource.Response(state=encode({**decode(request.config), "json": policy_document(decode(request.config))}))
        if request.type_name == "aws_region":
            region = decode(request.config).get("region") or self.config["region"]
            known = {"id": region, "region": region, "name": region, "description": "a Region", "endpoint": f"ec2.{region}.amazonaws.com"}
            return pb.ReadDataSource.Response(state=encode({name: known[name] for name in self.data["aws_region"]}))
        where = partition(self.config["region"])
        suffix = "amazonaws.com.cn" if where == "aws-cn" else "amazonaws.com"
        values = {"account_id": self.account(), "partition": where, "dns_suffix": suffix, "reverse_dns_prefix": ".".join(reversed(suffix.split("."))),
                  "id": self.account() if request.type_name == "aws_caller_identity" else where,
                  "arn": f"arn:{where}:iam::{self.account()}:user/harness", "user_id": "AIDAHARNESS"}
        return pb.ReadDataSource.Response(state=encode({name: values[name] for name in DATA[request.type_name]}))

    def ApplyResourceChange(self, request, context):
        """Everything works at once and comes out as planned; what only AWS knows gets some value."""
        state = decode(request.planned_state)
        if state is not None:
            make_known(self.resources[request.type_name], state)
        return pb.ApplyResourceChange.Response(new_state=encode(state), legacy_type_system=True)

    def StopProvider(self, request, context):
        return pb.StopProvider.Response()


class Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):
    ended = False

    def Shutdown(self, request, context):
        self.ended = True
        return grpc_controller_pb2.Empty()


class Stdio(grpc_stdio_pb2_grpc.GRPCStdioServicer):
    def StreamStdio(self, request, context):
        return iter([])


def main():
    server, controller, parent = grpc.server(futures.ThreadPoolExecutor(8)), Controller(), os.getppid()
    tfplugin_pb2_grpc.add_ProviderServicer_to_server(Provider(int(sys.argv[1])), server)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(controller, server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(Stdio(), server)
    with tempfile.TemporaryDirectory() as folder:
        chain, credentials = _self_signed_cert()
        server.add_secure_port(f"unix://{folder}/provider", credentials)
        server.start()
        print(f"1|6|unix|{folder}/provider|grpc|{base64.b64encode(chain).decode().rstrip('=')}", flush=True)
        while not controller.ended and os.getppid() == parent:
            time.sleep(0.05)
        server.stop(0.2)
    os._exit(0)


if __name__ == "__main__":
    main()
