# numpy, scipy, numexpr: arrays, linear algebra, optimisation, statistics, signals
import numexpr
import numpy as np
import scipy.fft
import scipy.optimize
import scipy.sparse.linalg
import scipy.stats


def handler(event, context):
    matrix = np.array([[4.0, 7.0], [2.0, 6.0]])
    random = np.random.default_rng(7)
    a = np.arange(1000.0)
    solved = scipy.sparse.linalg.spsolve(scipy.sparse.csc_matrix(matrix), np.array([1.0, 2.0]))
    return [
        np.linalg.inv(matrix).round(9).tolist(),
        random.integers(0, 100, 5).tolist(),
        np.einsum("ij,jk->ik", matrix, matrix).tolist(),
        float(np.array(["2026-01-01"], dtype="datetime64[D]").astype(int)[0]),
        scipy.optimize.minimize(lambda x: (x - 3) ** 2, 0).x.round(3).tolist(),
        scipy.stats.norm.ppf(0.975).round(6).item(),
        np.abs(scipy.fft.fft([1, 0, 0, 0])).tolist(),
        solved.round(9).tolist(),
        float(numexpr.evaluate("sum(a * 2)")),
    ]
