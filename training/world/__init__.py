"""The training world: trajectories of scripted agents over planted bugs, labelled by hidden tests.

    tasks → catalog → operators → bugs → issues → policies → run → shelf

Every trajectory is played by the real mini-swe-agent loop in a real git repository.
"""
