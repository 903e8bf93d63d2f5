#!/bin/sh
# Makes one cluster of six nodes, three masters with a replica each, unless they are one.
set -eu
nodes="$*"
first="${nodes%% *}"
until redis-cli -h "${first%:*}" -p "${first#*:}" ping >/dev/null 2>&1; do sleep 1; done
if redis-cli -h "${first%:*}" -p "${first#*:}" cluster info | grep -q '^cluster_state:ok'; then
    echo "the cluster is there"
    exit 0
fi
# Nodes are met by address and not by name.
addresses=""
for node in $nodes; do
    addresses="$addresses $(getent hosts "${node%:*}" | awk '{ print $1 }'):${node#*:}"
done
# shellcheck disable=SC2086
redis-cli --cluster create $addresses --cluster-replicas 1 --cluster-yes
