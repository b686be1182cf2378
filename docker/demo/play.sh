#!/usr/bin/env bash
# A short day of traffic on two workers. Called by ./dev demo, which sets DATABASE_URL, AMQP_URL, SWITCHBOARD_BIN, KEEP
# and DEMO_PIDS.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly here channel=109000000000001 patience=30
sb=$SWITCHBOARD_BIN
work=$(mktemp -d)
pids=()
# Nobody else's gateways belong into the demo.
unset SWITCHBOARD_SOURCES SWITCHBOARD_INGRESS_ADAPTER
export RUST_LOG=${RUST_LOG:-warn,lapin=off} SWITCHBOARD_LEASE=${SWITCHBOARD_LEASE:-5s}

leave() {
  local code=$?
  if [ "${KEEP:-0}" -eq 1 ] && [ "$code" -eq 0 ]; then return; fi
  for pid in "${pids[@]}"; do kill -s TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

scene() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

# Waits until a command prints what is wanted; the demo must not hang.
until_prints() {
  local wanted=$1 deadline=$((SECONDS + patience))
  shift
  until "$@" 2>/dev/null | grep -Eq "$wanted"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "the demo waited ${patience} s in vain for \"$wanted\" of: $*" >&2
      tail -n 20 "$work"/worker-*.log >&2
      exit 1
    fi
    sleep 0.2
  done
}

# What happened so far, and waiting for a line of it.
happened() { cat "$work/tail.log"; }
until_happened() { until_prints "$1" happened; }

# A webhook body of the Cloud API: phone, name, message id and text, four words a message.
webhook() {
  local now contacts='' messages=''
  now=$(date +%s)
  while [ $# -ge 4 ]; do
    contacts+="${contacts:+,}{\"profile\":{\"name\":\"$2\"},\"wa_id\":\"$1\"}"
    messages+="${messages:+,}{\"from\":\"$1\",\"id\":\"$3\",\"timestamp\":\"$now\",\"type\":\"text\",\"text\":{\"body\":\"$4\"}}"
    shift 4
  done
  printf '{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550001","phone_number_id":"%s"},"contacts":[%s],"messages":[%s]}}]}]}\n' \
    "$channel" "$contacts" "$messages"
}

# What Evolution API publishes for a text: the customer by a linked id only, and a key that nobody here keeps.
evolution() {
  printf '{"event":"messages.upsert","instance":"shop","apikey":"nobody-keeps-this","data":{"key":{"remoteJid":"184467440737095@lid","fromMe":false,"id":"3EB0C767D26A1B4F"},"pushName":"Yu","messageType":"conversation","message":{"conversation":"%s"},"messageTimestamp":%s}}\n' \
    "$1" "$(date +%s)"
}

# A command as an inbox would send it: name, actor, the rest of its data. Its id is new every time: a counter would begin
# again in every subshell, and the same id is a duplicate.
command() {
  printf '{"specversion":"1.0","id":"demo-%s","source":"demo","type":"switchboard.command.%s","data":{"tenant":"acme","actor":"%s",%s}}\n' \
    "$(date +%s%N)" "$1" "$2" "$3"
}

presence() { command presence "$1" "\"agent\":\"$1\",\"presence\":\"$2\""; }
send() { "$sb" publish - >/dev/null; }

# The conversations an agent has, oldest first.
conversations_of() { "$sb" chat list --view mine --as "$1" | awk 'NR > 1 { print $1 }'; }

scene "Set up: schema, exchanges and queues, plan"
"$sb" migrate up
"$sb" topology declare
"$sb" plan apply "$here/plan.toml"

scene "Two workers share the lanes"
for n in 1 2; do
  port=$("$here/free-port.sh")
  SWITCHBOARD_HTTP=127.0.0.1:$port "$sb" worker >"$work/worker-$n.log" 2>&1 &
  pids+=($!)
  urls[n]=http://127.0.0.1:$port
  until_prints '^ready' env SWITCHBOARD_HTTP="127.0.0.1:$port" "$sb" healthcheck
  echo "worker $n is ready: ${urls[n]}/metrics"
done
"$sb" tail 2>"$work/following" >"$work/tail.log" &
tail_pid=$!
pids+=("$tail_pid")
until_prints following cat "$work/following"
tail -f -n +1 "$work/tail.log" 2>/dev/null &
pids+=($!)

scene "Morning: Mark and Léa come online, Martha is not there yet"
{ presence mark online; presence lea online; } | send
until_happened 'agent lea, presence online'

scene "Customers write, in English and in French"
{
  webhook 15550101 Ann wamid.ann.1 "Good morning, I would like to know where my order is, please"
  webhook 33600000001 Chloe wamid.chloe.1 "Bonjour, je voudrais savoir où est ma commande, merci beaucoup"
} | send
until_happened 'message.received.*agent/mark|conversation.assigned +agent/mark'
until_happened 'conversation.assigned +agent/lea'

scene "A burst from one new contact: one conversation, not five"
for n in 1 2 3 4 5; do webhook 15550102 Bob "wamid.bob.$n" "Hello? Is anybody there?"; done | send
until_prints '^3$' sh -c "'$sb' chat list --view assigned | grep -c agent/"

scene "The same body again (a redelivery), and a body with messages of two customers: Mark is full, they wait"
{
  webhook 15550102 Bob wamid.bob.5 "Hello? Is anybody there?"
  webhook 15550103 Carl wamid.carl.1 "Can I change my address?" 15550104 Dan wamid.dan.1 "I need an invoice for my last order"
} | send
until_prints '^2$' sh -c "'$sb' chat list --view team | grep -c team/support"

scene "What cannot be used: a body that is no JSON, and a business number nobody knows"
echo '{"object": "whatsapp_business_account", "entry": [' | "$sb" publish --lines - >/dev/null
webhook 15550105 Eve wamid.eve.1 "Hello" | sed "s/$channel/109999999999999/" | send
until_prints unknown_channel "$sb" dead list

scene "Mark closes a conversation: his place goes to the customer who waits longest"
command close mark "\"conversation\":\"$(conversations_of mark | head -n 1)\"" | send
until_happened 'conversation.closed'
until_prints '^1$' sh -c "'$sb' chat list --view team | grep -c team/support"

scene "Mark goes to lunch, a new customer writes; Martha comes online and takes who waits"
presence mark offline | send
webhook 15550106 Fay wamid.fay.1 "Do you ship to Canada?" | send
until_prints '^2$' sh -c "'$sb' chat list --view team | grep -c team/support"
presence martha online | send
until_prints '^2$' sh -c "'$sb' chat list --view mine --as martha | grep -c agent/martha"

scene "Léa closes, her customer returns and meets her again"
chloe=$(conversations_of lea | head -n 1)
command close lea "\"conversation\":\"$chloe\"" | send
until_prints closed "$sb" chat show "$chloe"
webhook 33600000001 Chloe wamid.chloe.2 "Encore une question, s'il vous plaît : quand arrive le colis ?" | send
until_happened 'by sticky'

scene "One more customer than there is room for: nobody takes it within ten seconds, the manager is told"
webhook 15550107 Gus wamid.gus.1 "My parcel arrived broken, what can I do now?" | send
until_happened 'response_breach'

scene "Mark is back and asks Martha to take a customer; she is busy, and says so"
presence mark online | send
until_happened 'agent mark, presence online'
handed=$(conversations_of mark | head -n 1)
about_handed="\"conversation\":\"$handed\""
ask_martha() { command request mark "$about_handed,\"to\":{\"agent\":\"martha\"},\"note\":\"$1\"" | send; }
ask_martha "An old customer of yours"
until_happened 'assignment.requested'
command reject martha "$about_handed,\"reason\":\"on the phone\"" | send
until_happened 'assignment.rejected'

scene "He asks again, she accepts, and the customer who waited gets Mark's free place"
ask_martha "They ask for you by name"
until_prints '^2$' sh -c "grep -c assignment.requested '$work/tail.log'"
command accept martha "$about_handed" | send
until_happened 'by request'
until_prints '^0$' sh -c "'$sb' chat list --view team | grep -c team/support || true"

scene "Mark asks Léa, who does not answer"
another=$(conversations_of mark | head -n 1)
command request mark "\"conversation\":\"$another\",\"to\":{\"agent\":\"lea\"}" | send
until_happened 'assignment.timed_out'

scene "Léa writes to Mark's customer all the same"
command reply lea "\"conversation\":\"$another\",\"message\":{\"type\":\"text\",\"text\":{\"body\":\"Bonjour\"}}" | send
until_happened 'code not_assignee'

scene "Everything Mark has goes to Léa, by mistake, and back again"
bulk=$(printf '%08x-0000-4000-8000-%012x' "$(date +%s)" "$RANDOM")
command bulk_assign boss "\"bulk\":\"$bulk\",\"from\":{\"agent\":\"mark\"},\"to\":{\"agent\":\"lea\"}" | send
until_happened 'bulk.completed'
command bulk_undo boss "\"bulk\":\"$bulk\"" | send
until_happened 'bulk.undone'

scene "Martha leaves the company: her customers go back to her team"
command agent.remove boss '"agent":"martha"' | send
until_happened 'agent.removed'
until_prints '^3$' sh -c "'$sb' chat list --view team | grep -c team/support"

scene "Something urgent: Nia gets it and says nothing. She is warned, then it moves on to Omar"
{ presence nia online; presence omar online; } | send
until_happened 'agent omar, presence online'
webhook 15550108 Ida wamid.ida.1 "This is urgent: I am locked out of my account" | send
until_happened 'response.warned'
until_happened 'conversation.assigned +agent/omar'
command reply omar "\"conversation\":\"$(conversations_of omar | head -n 1)\",\"message\":{\"type\":\"text\",\"text\":{\"body\":\"On it\"}}" | send
until_happened 'reply.authorized'

scene "A hasty plan sends everybody to France. What it changes, what it does, and how it is taken back"
sed '/^\[default\]/,$ s/"support"/"france"/' "$here/plan.toml" >"$work/hasty.toml"
"$sb" plan diff "$work/hasty.toml"
"$sb" plan apply "$work/hasty.toml"
webhook 15550109 Jon wamid.jon.1 "Where can I find my invoice from last week?" | send
until_happened 'conversation.assigned +agent/lea.*load 2/2'
"$sb" plan rollback --reassign
until_prints '^2$' sh -c "grep -c bulk.completed '$work/tail.log'"

scene "Evolution API brings a customer who shows no phone number: what that would become, and what it does"
evolution "Can I change my delivery address?" >"$work/evolution.json"
"$sb" publish --explain "$work/evolution.json"
opened=$(grep -c conversation.opened "$work/tail.log")
send <"$work/evolution.json"
until_prints "^$((opened + 1))\$" grep -c conversation.opened "$work/tail.log"

kill "$tail_pid" 2>/dev/null || true
scene "Who owns what"
"$sb" chat list
scene "Loads"
"$sb" chat list --view assigned | awk 'NR > 1 { load[$4]++ } END { for (who in load) print who, "has", load[who] }' | sort
scene "What waits, why, and what would end it"
"$sb" why
scene "Whose turn it was, and how even that is"
"$sb" fairness
scene "Why the last one waits"
"$sb" explain "$("$sb" chat list --view team | awk 'NR > 1 { id = $1 } END { print id }')"
scene "Why Chloé's conversation is where it is"
"$sb" explain "$chloe"
scene "What was dead-lettered, and why"
"$sb" dead list
scene "Every promise that data can show"
"$sb" audit

if [ "${KEEP:-0}" -eq 1 ]; then
  printf '%s\n' "${pids[@]:0:2}" >"$DEMO_PIDS"
  scene "The workers go on; ./dev down ends them"
  printf 'DATABASE_URL=%s\nAMQP_URL=%s\n' "$DATABASE_URL" "$AMQP_URL"
  printf 'health and metrics: %s %s\n' "${urls[1]}" "${urls[2]}"
else
  scene "The day is over: the workers finish what they have in hand and stop"
fi
