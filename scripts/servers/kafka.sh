# shellcheck shell=bash
# Apache Kafka, one KRaft node. The jars come from Maven Central once and are shared by every data folder.

KAFKA_VERSION=4.3.1
KAFKA_JARS=$ROOT/.dev/kafka-$KAFKA_VERSION

kafka_port() { echo "$DEV_KAFKA_PORT"; }
kafka_pid() { owned_pid "$DEV_SERVICES_DIR/kafka/pid"; }
kafka_up() { listening "$DEV_KAFKA_PORT"; }

kafka_install() {
  [ ! -e "$KAFKA_JARS/complete" ] || return 0
  if ! command -v java >/dev/null; then packages openjdk-17-jre-headless || return 1; fi
  if ! command -v mvn >/dev/null; then packages maven || return 1; fi
  echo "fetching Apache Kafka $KAFKA_VERSION ..." >&2
  mkdir -p "$KAFKA_JARS"
  mvn -B -q -f "$SCRIPTS/kafka/pom.xml" "-Dkafka.version=$KAFKA_VERSION" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime "-DoutputDirectory=$KAFKA_JARS" >>"$DEV_SERVICES_DIR/install.log" 2>&1 9>&- ||
    because "Maven could not fetch Kafka $KAFKA_VERSION, see $DEV_SERVICES_DIR/install.log" || return 1
  touch "$KAFKA_JARS/complete"
}

KAFKA_JAVA=(java -Xms256m -Xmx512m -XX:+UseSerialGC
  "-Dlog4j2.configurationFile=$SCRIPTS/kafka/log4j2.properties" -cp "$KAFKA_JARS/*")

kafka_format() {
  local folder=$1 cluster
  sed -e "s#@DIR@#$folder#g; s#@PORT@#$DEV_KAFKA_PORT#g; s#@CONTROLLER_PORT@#$DEV_KAFKA_CONTROLLER_PORT#g" \
    "$SCRIPTS/kafka/server.properties.in" >"$folder/server.properties"
  [ ! -f "$folder/data/meta.properties" ] || return 0
  cluster=$("${KAFKA_JAVA[@]}" kafka.tools.StorageTool random-uuid 2>/dev/null | tail -n 1)
  "${KAFKA_JAVA[@]}" kafka.tools.StorageTool format -t "$cluster" -c "$folder/server.properties" >"$folder/format.log" 2>&1
}

# the port opens a little before the broker serves; its log says when it does
kafka_serves() { kafka_up && grep -q 'Kafka Server started' "$DEV_SERVICES_DIR/kafka/kafka.log"; }
kafka_settled() { kafka_serves || ! kafka_pid >/dev/null; }

kafka_start() {
  local folder=$DEV_SERVICES_DIR/kafka
  kafka_install || return 1
  mkdir -p "$folder"
  kafka_format "$folder" || because "its storage could not be formatted, see $folder/format.log" || return 1
  launch "$folder/pid" "$folder/kafka.log" \
    "${KAFKA_JAVA[@]}" kafka.Kafka "$folder/server.properties"
  wait_until 60 kafka_settled || true
  kafka_serves || because "it did not start, see $folder/kafka.log"
}

kafka_stop() { end_group "$DEV_SERVICES_DIR/kafka/pid" TERM 20; }
kafka_kill() { end_group "$DEV_SERVICES_DIR/kafka/pid" KILL 5; }
kafka_env() { emit DEV_KAFKA_BOOTSTRAP "127.0.0.1:$DEV_KAFKA_PORT"; }
