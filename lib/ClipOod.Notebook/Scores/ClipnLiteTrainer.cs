using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>The graph of a <see cref="ClipnLite"/> and its training step.</summary>
internal sealed class ClipnLiteTrainer : IDisposable
{
    private readonly Embeddings _images;
    private readonly Embeddings _texts;
    private readonly int _prompts;

    // A - I, or its two factors (D, r) and (r, D) where the rank is limited.
    private readonly Weight[] _change;
    private readonly Weight _sigma;
    private readonly Trainer _trainer;

    public ClipnLiteTrainer(Embeddings images, Embeddings texts, ClipnLiteOptions options, long totalSteps)
    {
        (_images, _texts, _prompts) = (images, texts, options.Prompts);
        int width = images.Width;
        Graph graph = new("clipn-lite");
        Tensor f = graph.Input("images", ElementType.Float, "batch", width);
        Tensor g = graph.Input("texts", ElementType.Float, "batch", width);
        Tensor mixture = graph.Input("mixture", ElementType.Float, "batch", _prompts);
        _sigma = graph.Weight("sigma", [_prompts, width], Initial.Constant(0));

        // One factor is 0 at first, so that h = g; both would have no gradient.
        _change = options.Rank is int rank
            ?
            [
                graph.Weight("up", [width, rank], Initial.Constant(0)),
                graph.Weight("down", [rank, width], Initial.Normal(1 / Math.Sqrt(width), options.Seed)),
            ]
            : [graph.Weight("change", [width, width], Initial.Constant(0))];
        Tensor change = g;
        foreach (Weight factor in Enumerable.Reverse(_change))
        {
            change = Op.Linear(change, factor, transposed: true);
        }

        Tensor h = g + change + mixture.MatMul(_sigma);
        ClipnLoss loss = ClipLosses.Clipn(f, g, h, graph.Constant(Math.Log(options.LogitScale)), options.DuplicateCosine);
        _trainer = new Trainer(
            loss.Total,
            new AdamW(options.LearningRate, options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay),
            new TrainerOptions { Schedule = Schedule.Cosine(totalSteps), Monitors = [loss.Matching, loss.Unrelated, loss.TextSemantics] });
    }

    /// <summary>One update from the given pairs; returns the losses before it.</summary>
    public ClipnLossValues Step(int[] rows, Random random)
    {
        _trainer.Step(
            ("images", _images.Select(rows).Values.ToArray()),
            ("texts", _texts.Select(rows).Values.ToArray()),
            ("mixture", ClipNoTextTower.DrawMixture(rows.Length, _prompts, random)));
        double[] terms = [.. _trainer.Monitored.Select(value => value.ToDouble())];
        return new(terms[0], terms[1], terms[2]);
    }

    /// <summary>A as it is now.</summary>
    public Embeddings Map()
    {
        int width = _images.Width;
        float[] map = Change().ToArray();
        for (int i = 0; i < width; i++)
        {
            map[(i * width) + i]++;
        }

        return new Embeddings(width, width, map);
    }

    /// <summary>The mean of the prompts as they are now.</summary>
    public double[] Offset()
    {
        float[] sigma = _sigma.Value.Values<float>();
        int width = _images.Width;
        return [.. Enumerable.Range(0, width).Select(j => Enumerable.Range(0, _prompts).Average(i => (double)sigma[(i * width) + j]))];
    }

    public void Dispose() => _trainer.Dispose();

    private float[] Change()
    {
        if (_change.Length == 1)
        {
            return _change[0].Value.Values<float>();
        }

        using Evaluator product = new([_change[0].MatMul(_change[1])]);
        return product.Run()[0].Values<float>();
    }
}
