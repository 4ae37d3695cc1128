"""sentence-transformers in fp32 on PyTorch, measured on texts: python embed.py MODEL_FOLDER TEXTS.json

The weights of the pinned model are not on PyPI, so the same architecture (6 layers, 384 wide) runs with random ones, and the
real tokenizer: the time does not depend on what the numbers are. One thread. Prints JSON lines.
"""
import json
import os
import resource
import shutil
import sys
import tempfile
import time

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, Pooling, Transformer

LENGTHS = (8, 16, 32, 64, 128, 256)


def main():
    source, texts = sys.argv[1], json.load(open(sys.argv[2]))
    torch.set_num_threads(1)
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, max_position_embeddings=512
    )
    with tempfile.TemporaryDirectory() as folder:
        transformers.BertModel(config).save_pretrained(folder)
        for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
            if os.path.exists(os.path.join(source, name)):
                shutil.copy(os.path.join(source, name), folder)
        words = Transformer(folder, max_seq_length=256)
        model = SentenceTransformer(modules=[words, Pooling(384), Normalize()], device="cpu")
    graph = f"PyTorch {torch.__version__.split('+')[0]} fp32"
    bert = words.auto_model.eval()
    with torch.inference_mode():
        for tokens in LENGTHS:
            ids = torch.randint(2000, 22000, (1, tokens))
            mask = torch.ones_like(ids)
            times = []
            for i in range(-3, 15):
                start = time.perf_counter()
                bert(input_ids=ids, attention_mask=mask)
                if i >= 0:
                    times.append(time.perf_counter() - start)
            ms = 1000 * sorted(times)[len(times) // 2]
            print(json.dumps({"measure": "speed", "graph": graph, "tokens": tokens, "ms": round(ms, 3), "per_second": round(1000 / ms, 1)}), flush=True)
    for batch in (1, 32):
        model.encode(texts[:64], batch_size=batch, show_progress_bar=False)
        cpu, start = time.process_time(), time.perf_counter()
        model.encode(texts, batch_size=batch, show_progress_bar=False)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        print(json.dumps({
            "measure": "texts", "runner": f"sentence-transformers, batches of {batch}", "texts": len(texts),
            "per_second": round(len(texts) / wall, 1), "cpu_ms_a_text": round(1000 * cpu / len(texts), 2),
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "note": f"{graph}, one thread",
        }), flush=True)


main()
