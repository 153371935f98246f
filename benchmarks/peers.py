def read(*a):
    pass
