namespace ClipOod.Autodiff.Tests;

public sealed class TrainingTests
{
    [Fact]
    public void Mlp_OnTwoSpirals_LearnsThem()
    {
        (float[] points, long[] labels) = Spirals(200);
        Graph graph = new("mlp");
        Tensor x = graph.Input("x", ElementType.Float, "batch", 2);
        Tensor y = graph.Input("labels", ElementType.Int64, "batch");
        Tensor hidden = x;
        long width = 2;
        for (int layer = 0; layer < 2; layer++)
        {
            Weight weight = graph.Weight($"weight{layer}", [width, 32], Initial.Normal(1 / Math.Sqrt(width), seed: layer));
            Weight bias = graph.Weight($"bias{layer}", [32], Initial.Normal(1, seed: 10 + layer));
            hidden = Op.Linear(hidden, weight, bias).Gelu();
            width = 32;
        }

        Tensor logits = hidden.MatMul(graph.Weight("head", [width, 2], Initial.Normal(0.1, seed: 3)));
        Tensor correct = Op.Equal(logits.ArgMax(), y).Cast(ElementType.Float).Mean();
        using Trainer trainer = new(Op.CrossEntropy(logits, y), new AdamW(learningRate: 0.01), new TrainerOptions { Monitors = [correct] });
        double first = trainer.Step(("x", points), ("labels", labels));
        double last = first;
        for (int step = 0; step < 400; step++)
        {
            last = trainer.Step(("x", points), ("labels", labels));
        }

        Assert.InRange(first, 0.5, 1.0);
        Assert.InRange(last, 0, 0.1);
        Assert.InRange(trainer.Monitored[0].ToDouble(), 0.97, 1);

        // An evaluator of the same graph sees what was learned.
        using Evaluator evaluator = new([correct]);
        Assert.InRange(evaluator.Run(("x", points), ("labels", labels))[0].ToDouble(), 0.97, 1);
    }

    private static (float[] Points, long[] Labels) Spirals(int count)
    {
        float[] points = new float[count * 2];
        long[] labels = new long[count];
        for (int i = 0; i < count; i++)
        {
            labels[i] = i % 2;
            double radius = 0.2 + (1.3 * i / count);
            double angle = (4 * radius) + (Math.PI * labels[i]);
            points[2 * i] = (float)(radius * Math.Cos(angle));
            points[(2 * i) + 1] = (float)(radius * Math.Sin(angle));
        }

        return (points, labels);
    }
}
