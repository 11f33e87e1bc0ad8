# elasticsearch, opensearch-py, clickhouse-connect, neo4j, ldap3: requests to servers of our own, and the errors where none is
import http.server
import threading
import elasticsearch
import ldap3
import neo4j
import opensearchpy


class Api(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", self.headers.get("Accept", "application/json").split(",")[0])
        self.end_headers()
        self.wfile.write(b'{"hits": {"hits": [{"_id": "1"}]}}')

    def log_message(self, *arguments):
        pass


def handler(event, context):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with elasticsearch.Elasticsearch(url) as elastic:
        found = elastic.search(index="i", query={"match_all": {}})["hits"]["hits"]
    opened = opensearchpy.OpenSearch(url).search(index="i", body={})["hits"]["hits"]
    server.shutdown()
    try:
        elasticsearch.Elasticsearch("http://127.0.0.1:1", max_retries=0).info()
    except elasticsearch.ConnectionError as error:
        refused = type(error).__name__
    try:
        with neo4j.GraphDatabase.driver("bolt://127.0.0.1:1") as driver:
            driver.verify_connectivity()
    except neo4j.exceptions.ServiceUnavailable as error:
        bolt = type(error).__name__
    mock = ldap3.Connection(ldap3.Server("mock"), "cn=u", "p", client_strategy=ldap3.MOCK_SYNC)
    mock.strategy.add_entry("cn=u", {"userPassword": "p", "sn": "user"})
    mock.bind()
    mock.search("cn=u", "(sn=user)", attributes=["sn"])
    return [found, opened, refused, bolt, mock.entries[0].sn.value]
