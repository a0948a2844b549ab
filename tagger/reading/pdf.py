def read_pdf(data, columns, limits):
    raise NotImplementedError
