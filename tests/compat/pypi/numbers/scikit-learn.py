# scikit-learn, joblib, onnxruntime: models trained, kept and asked, also by processes
import io
import joblib
import onnxruntime
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def handler(event, context):
    x, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(x, y)
    sink = io.BytesIO()
    joblib.dump(model, sink)
    sink.seek(0)
    return [
        joblib.load(sink).predict(x[::50]).tolist(),
        round(cross_val_score(model, x, y, n_jobs=2).mean(), 3),
        "CPUExecutionProvider" in onnxruntime.get_available_providers(),
    ]
