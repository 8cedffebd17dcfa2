"""The node agent: for every pod of every node it does what a kubelet does, with programs of this machine for images."""
