# Sourced by backup.sh and restore.sh.

# run PROGRAM URL ARGUMENTS...: a Postgres program on a database; the password of the URL travels in the environment, where no
# list of processes shows it
run() {
  local program=$1 url=$2 password=''
  shift 2
  if [[ $url =~ ^([a-z]+://[^:/@]*):([^@/]*)@(.*)$ ]]; then
    url=${BASH_REMATCH[1]}@${BASH_REMATCH[3]}
    password=${BASH_REMATCH[2]//\\/\\\\}
    password=$(printf '%b' "${password//%/\\x}")
  fi
  PGPASSWORD=$password PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-10} "$program" --dbname="$url" "$@"
}

# ask URL SQL
ask() {
  run psql "$1" --no-psqlrc --tuples-only --no-align --quiet --set=ON_ERROR_STOP=1 --command="$2"
}
