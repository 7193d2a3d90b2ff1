-- Tables of an ontology's database. The comments are kept in the file: DESCRIBE it anywhere.

CREATE TABLE node (
    position INTEGER PRIMARY KEY,
    mid VARCHAR NOT NULL UNIQUE,
    name VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    restrictions VARCHAR[] NOT NULL
);
COMMENT ON TABLE node IS 'one class of sound a row';
COMMENT ON COLUMN node.position IS 'place in the ontology file, from 0';
COMMENT ON COLUMN node.mid IS 'id in the ontology, such as /m/04rlf';
COMMENT ON COLUMN node.name IS 'display name';
COMMENT ON COLUMN node.description IS 'what it sounds like; may be empty';
COMMENT ON COLUMN node.restrictions IS 'why it is no label, such as abstract or blacklist';

CREATE TABLE edge (
    parent INTEGER NOT NULL REFERENCES node (position),
    child INTEGER NOT NULL REFERENCES node (position),
    PRIMARY KEY (parent, child)
);
COMMENT ON TABLE edge IS 'one parent-child relation a row; together they have no cycle';
COMMENT ON COLUMN edge.parent IS 'position of the more general node';
COMMENT ON COLUMN edge.child IS 'position of the more special node';
