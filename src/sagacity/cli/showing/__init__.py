"""What `sagacity demo` shows, and what it is live made of.

comparison.py  planted against found, as a table
show.py        the live half, from the start of its server to its end
serving.py     the server, started and stopped
driving.py     the traffic handed in, and what the server says of it
telling.py     what is printed meanwhile
"""
