"""From client groups to the objects that lead their traffic out, one module a kind of object or flavour."""
