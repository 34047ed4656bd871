"""jsonnet, by its own Python package: evaluates `stacks.jsonnet` and writes its files.  `python stacks_jsonnet.py MAP.json OUT`"""
import json
import sys
from pathlib import Path

import _jsonnet

program, out = Path(__file__).with_name("stacks.jsonnet"), Path(sys.argv[2])
stacks = json.loads(_jsonnet.evaluate_file(str(program), ext_codes={"map": Path(sys.argv[1]).read_text()}))
out.mkdir(parents=True)
for name, template in stacks.items():
    (out / name).write_text(json.dumps(template, indent=4))
