#!/bin/bash
# Makes once what every broker of every lab reuses: prepare-kafka.sh JARS JAVA ARCHIVE
#   JARS/lab/bootstrap.checkpoint  Kafka's first metadata records, as its StorageTool writes them
#   JARS/lab/ARCHIVE               a class-data archive of a broker that started and ended
# Runs in mount, network and PID namespaces of its own: the archive is valid only for the class path
# it was made with, so the jars must stand where the nodes see them; and nothing is left behind.
set -eu
jars=$1 java=$2 archive=$3

mount -n -t tmpfs tmpfs /mnt
mkdir -p /mnt/faultline-lab/kafka
mount -n --bind "$jars" /mnt/faultline-lab/kafka
mount -n --move /mnt /run
cd /run
ip link set lo up

cat > server.properties <<'P'
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
listeners=CLIENT://127.0.0.1:9092,REPLICATION://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093
listener.security.protocol.map=CLIENT:PLAINTEXT,REPLICATION:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=REPLICATION
controller.listener.names=CONTROLLER
log.dirs=/run/data
P
cat > log4j2.properties <<'P'
rootLogger.level=INFO
rootLogger.appenderRef.file.ref=file
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName=/run/broker.log
appender.file.filePattern=/run/broker.%i.log
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{ISO8601} %p [%t] %c{1}: %m%n
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=64MB
P

# With wildcards as the brokers have it: Java expands them, not this shell.
class_path='/run/faultline-lab/kafka/*'
"$java" -XX:TieredStopAtLevel=1 -cp "$class_path" kafka.tools.StorageTool \
  format -t AAAAAAAAAAAAAAAAAAAAAQ -c server.properties >&2
cp data/bootstrap.checkpoint "$jars/lab/bootstrap.checkpoint.$$"
mv "$jars/lab/bootstrap.checkpoint.$$" "$jars/lab/bootstrap.checkpoint"

"$java" -Xms384m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  -XX:ArchiveClassesAtExit=/run/archive.jsa -Dlog4j2.configurationFile=/run/log4j2.properties \
  -cp "$class_path" kafka.Kafka server.properties >&2 &
broker=$!
until grep -q 'Kafka Server started' broker.log 2>/dev/null; do
  kill -0 $broker 2>/dev/null || { echo 'the broker did not start' >&2; exit 1; }
  sleep 0.1
done
kill $broker
wait $broker || true
# Without an archive brokers start slower, and that is all.
if [ -s archive.jsa ]; then
  cp archive.jsa "$jars/lab/$archive.$$"
  mv "$jars/lab/$archive.$$" "$jars/lab/$archive"
fi
