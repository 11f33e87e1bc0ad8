# zeep, suds-community: a service of SOAP that is described here
import http.server
import tempfile
import threading
import suds.client
import zeep

WSDL = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t">
<message name="In"><part name="n" type="xsd:int"/></message><message name="Out"><part name="r" type="xsd:int"/></message>
<portType name="P"><operation name="double"><input message="t:In"/><output message="t:Out"/></operation></portType>
<binding name="B" type="t:P"><soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/><operation name="double"><soap:operation soapAction="double"/><input><soap:body use="literal" namespace="urn:t"/></input><output><soap:body use="literal" namespace="urn:t"/></output></operation></binding>
<service name="S"><port name="Q" binding="t:B"><soap:address location="{url}"/></port></service></definitions>"""
REPLY = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><t:doubleResponse xmlns:t="urn:t"><r>42</r></t:doubleResponse></s:Body></s:Envelope>'


class Service(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        assert b"21" in self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.end_headers()
        self.wfile.write(REPLY)

    def log_message(self, *arguments):
        pass


def handler(event, context):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.NamedTemporaryFile("w", suffix=".wsdl") as file:
        file.write(WSDL.format(url=f"http://127.0.0.1:{server.server_port}"))
        file.flush()
        told = [
            zeep.Client(file.name).service.double(21),
            suds.client.Client("file://" + file.name, cache=None).service.double(21),
        ]
    server.shutdown()
    return told
