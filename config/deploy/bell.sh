#!/bin/sh
# Start the bell of compose.yaml: give the account its password, listen inside the network of the containers only.
set -eu
hash=$(printf '%s' "$(cat /run/secrets/bell)" | sha256sum | cut -d ' ' -f 1)
sed "s/ resetpass / resetpass #$hash /" /etc/users.acl >/run/acl/users.acl
exec valkey-server /etc/redis.conf --bind '* -::*' --aclfile /run/acl/users.acl
