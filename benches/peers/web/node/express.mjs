// An Express endpoint that takes JSON and answers it.
import express from "express";

const app = express();
app.use(express.json());
app.post("/", (req, res) => res.json(req.body));
app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
