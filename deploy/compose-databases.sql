-- Run by the Postgres image when its volume is new: the control plane and two nodes, on one server here.
create database directory;
create database node_a;
create database node_b;
