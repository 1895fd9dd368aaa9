using static ClipOod.Autodiff.Tests.GradientCheck;

namespace ClipOod.Autodiff.Tests;

public sealed class VitTests
{
    [Fact]
    public void Vit_OnOneBatch_LearnsIt()
    {
        SmallVit.Sizes sizes = new(Image: 16, Patch: 8, Width: 32, Heads: 2, Layers: 2, Classes: 4);
        Graph graph = new("vit");
        (_, Tensor loss) = SmallVit.Build(graph, sizes, seed: 1);
        using Trainer trainer = new(loss, new AdamW(3e-3));
        float[] images = [.. Between(-1, 1, 5, 8, 3, 16, 16).Values.Select(v => (float)v)];
        long[] labels = [0, 1, 2, 3, 0, 1, 2, 3];
        double first = trainer.Step(("images", images), ("labels", labels));
        double last = first;
        for (int step = 0; step < 60; step++)
        {
            last = trainer.Step(("images", images), ("labels", labels));
        }

        Assert.InRange(first, 1.2, 1.6);
        Assert.InRange(last, 0, 0.1);
    }
}
