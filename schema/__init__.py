"""What the parts agree on: MQTT messages, database tables, migrations, published contracts."""
