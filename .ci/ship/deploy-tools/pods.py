"""Checks of what runs containers: Kubernetes, Knative, Compose, systemd."""

import re
from pathlib import Path

import jsonschema
from kubernetes_validate import utils as kubernetes

from common import LANGUAGES, Fault, expect, expect_middlewares, read_json, read_yaml, told

# The oldest release in which all that is used is there by default, and the newest one that has a schema.
KUBERNETES = ("1.30", "1.37")
KNATIVE = read_json(Path(__file__).with_name("knative-service.schema.json"))
MIB = 1 << 20
# What Trine keeps beside interpreters.
RESERVE = 64 * MIB


def kubernetes_schema(deploy):
    for path in manifests(deploy, "kubernetes"):
        for document in read_yaml(path):
            for version in KUBERNETES:
                try:
                    kubernetes.validate(document, version, strict=True)
                except Exception as error:  # its own errors and those of jsonschema
                    message = told(getattr(error, "message", str(error)))
                    raise Fault(f"{path.name}: {document.get('kind')} in {version}: {message}") from None


def knative_schema(deploy):
    for path in manifests(deploy, "knative"):
        expect_knative(path)


def expect_knative(path):
    for document in read_yaml(path):
        error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(KNATIVE).iter_errors(document))
        expect(error is None, f"{path.name}: {error and error.json_path}: {error and told(error.message)}")


def manifests(deploy, project):
    paths = sorted((deploy / project).glob("*.yaml"))
    names = sorted(path.stem for path in paths)
    expect(names == sorted(LANGUAGES), f"{project} has {names}, not a file for each language")
    return paths


def kubernetes_fits(deploy):
    """Expects that the objects of a file name each other, and that times and sizes agree."""
    for path in manifests(deploy, "kubernetes"):
        by_kind = {}
        for document in read_yaml(path):
            expect(document["kind"] not in by_kind, f"{path.name}: two of {document['kind']}")
            by_kind[document["kind"]] = document
        deployment = by_kind["Deployment"]
        name, spec = deployment["metadata"]["name"], deployment["spec"]
        pod, labels = spec["template"]["spec"], spec["template"]["metadata"]["labels"]
        where = f"{path.name}: "
        for kind, selector in [
            ("Deployment", spec["selector"]["matchLabels"]),
            ("Service", by_kind["Service"]["spec"]["selector"]),
            ("PodDisruptionBudget", by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]),
        ]:
            expect(selector.items() <= labels.items(), f"{where}{kind} selects {selector}, the pods are {labels}")
        scaler = by_kind["HorizontalPodAutoscaler"]["spec"]
        target = scaler["scaleTargetRef"]
        expect((target["kind"], target["name"]) == ("Deployment", name), f"{where}what is scaled is not {name}")
        expect("replicas" not in spec, f"{where}replicas undo what the autoscaler does at each apply")
        expect(1 < scaler["minReplicas"] < scaler["maxReplicas"], f"{where}no room to scale")
        (container,) = pod["containers"]
        expect_container(deploy, where, pod, container)
        (port,) = container["ports"]
        served = by_kind["Service"]["spec"]["ports"][0]["targetPort"]
        expect(served == port["name"], f"{where}the service asks for the port {served}")
        environment = variables(container)
        expect(environment.get("PORT") == str(port["containerPort"]), f"{where}PORT is {environment.get('PORT')}")
        for probe in probes(container):
            asked = container[probe]["httpGet"]["port"]
            expect(asked == port["name"], f"{where}{probe} asks the port {asked}")
        sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        drain, killed = sleep + seconds(flags(container)["--grace"]), pod["terminationGracePeriodSeconds"]
        expect(killed > drain, f"{where}killed after {killed} s, drained after {drain} s")


def knative_fits(deploy):
    for path in manifests(deploy, "knative"):
        (service,) = read_yaml(path)
        template = service["spec"]["template"]
        pod, where = template["spec"], f"{path.name}: "
        (container,) = pod["containers"]
        expect_container(deploy, where, pod, container)
        given, limit = flags(container), pod["timeoutSeconds"]
        expect(limit > seconds(given["--timeout"]), f"{where}Knative gives a request up before --timeout does")
        expect(limit > seconds(given["--grace"]), f"{where}Knative ends a pod before --grace is over")
        if path.stem == "python":
            expect(pod["containerConcurrency"] <= int(given["--threads"]), f"{where}more requests than --threads")
        scale = {name.split("/")[1]: value for name, value in template["metadata"]["annotations"].items()}
        expect(int(scale["min-scale"]) < int(scale["max-scale"]), f"{where}no room to scale")
        expect(0 < int(scale["target-utilization-percentage"]) <= 100, f"{where}no percentage to scale at")


def expect_container(deploy, where, pod, container):
    """Expects what Kubernetes and Knative have in common."""
    given, environment = flags(container), variables(container)
    expect(container["args"][0] == "/var/task", f"{where}the function is not in /var/task")
    expect("--host" not in given, f"{where}the image's entry point names the host already")
    expect_middlewares(deploy, environment.get("TRINE_MIDDLEWARES"))
    timeout = seconds(given["--timeout"])
    expect(seconds(given["--grace"]) > timeout, f"{where}--grace is over before --timeout")
    expect({"readinessProbe", "livenessProbe"} <= set(probes(container)), f"{where}probes are missing")
    for probe in probes(container):
        wanted = "/.trine/health" if probe == "livenessProbe" else "/.trine/ready"
        asked = container[probe]["httpGet"]["path"]
        expect(asked == wanted, f"{where}{probe} asks {asked}, not {wanted}")
        if probe != "startupProbe":
            patience = container[probe].get("timeoutSeconds", 1)
            expect(patience > timeout, f"{where}{probe} waits {patience} s, a function holds the thread for {timeout}")
    limits, requests = container["resources"]["limits"], container["resources"]["requests"]
    for resource, asked in requests.items():
        expect(quantity(asked) <= quantity(limits[resource]), f"{where}more {resource} is requested than allowed")
    workers = max(1, int(quantity(limits["cpu"])))
    scratch = sum(quantity(volume["emptyDir"]["sizeLimit"]) for volume in pod.get("volumes", []))
    needed = workers * quantity(environment["TRINE_MEMORY"].removesuffix("B")) + RESERVE + scratch
    allowed = quantity(limits["memory"])
    expect(needed <= allowed, f"{where}may take {needed // MIB} MiB, the limit is {allowed // MIB:.0f} MiB")
    mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    expect(mounted == volumes, f"{where}mounts {mounted} of the volumes {volumes}")
    security = {**pod.get("securityContext", {}), **container["securityContext"]}
    for member, wanted in [
        ("runAsNonRoot", True), ("allowPrivilegeEscalation", False), ("readOnlyRootFilesystem", True),
        ("capabilities", {"drop": ["ALL"]}), ("seccompProfile", {"type": "RuntimeDefault"}),
    ]:
        expect(security.get(member) == wanted, f"{where}{member} is {security.get(member)}, not {wanted}")
    expect(security.get("runAsUser"), f"{where}no user is set")
    expect(pod.get("automountServiceAccountToken") is False, f"{where}the function gets the cluster's token")


def supervisors(deploy):
    """Expects that Compose and systemd wait longer than the servers do, and that folders are there."""
    (compose,) = read_yaml(deploy / "compose.yaml")
    service = compose["services"]["functions"]
    grace = seconds(after(service["command"].split(), "--grace"))
    expect(seconds(service["stop_grace_period"]) > grace, "Compose kills before --grace is over")
    for volume in service["volumes"]:
        expect((deploy / volume.split(":")[0]).is_dir(), f"{volume.split(':')[0]} is no folder")
    unit = (deploy / "systemd/trine@.service").read_text()
    settings = dict(line.split("=", 1) for line in unit.splitlines() if re.match(r"\w+=", line))
    grace = seconds(after(settings["ExecStart"].split(), "--grace"))
    expect(seconds(settings["TimeoutStopSec"]) > grace, "systemd kills before --grace is over")
    expect((deploy / "systemd" / settings["WantedBy"]).is_file(), f"there is no {settings['WantedBy']}")


def probes(container):
    return [name for name in container if name.endswith("Probe")]


def variables(container):
    return {variable["name"]: variable.get("value") for variable in container["env"]}


def flags(container):
    words = container["args"]
    return {word: words[place + 1] for place, word in enumerate(words) if word.startswith("--")}


def after(words, flag):
    return words[words.index(flag) + 1]


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m)?", str(text)).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, None: 1}[unit]


def quantity(text):
    """Returns the number that Kubernetes reads in `500m`, `128Mi` or `1`."""
    number, unit = re.fullmatch(r"([\d.]+)(m|Ki|Mi|Gi|k|M|G)?", str(text)).groups()
    scales = {"m": 0.001, "Ki": 1 << 10, "Mi": MIB, "Gi": 1 << 30, "k": 1e3, "M": 1e6, "G": 1e9, None: 1}
    return float(number) * scales[unit]
