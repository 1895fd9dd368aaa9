namespace ClipOod.Notebook.Tests;

public sealed class PlpTests
{
    private const int Classes = 4;

    private static readonly Golden _golden = Golden.Get("plp");

    private static readonly PlpOptions _short = PlpOptions.Filtered with { Head = HeadOptions.Plp with { Epochs = 20, BatchSize = 32, LearningRate = 0.02 } };

    [Fact]
    public void Train_OnTheGoldenImages_GivesTheGoldenScores()
    {
        Golden input = _golden["inputs"], expected = _golden["expected"];
        PlpOptions options = new()
        {
            MinProbability = input["filter"].Number,
            Head = HeadOptions.Plp with { Schedule = LearningRateSchedule.Constant, Epochs = input["adam", "steps"].WholeNumber },
        };
        Embeddings train = input["train"].Embeddings;
        Matrix probabilities = Scores.Softmax(input["cosine_train_to_classes"].Matrix.Scale(input["scale"].Number));
        Plp plp = Plp.Train(train, probabilities, options, initial: new LinearHead(input["W0"].Matrix, input["b0"].Numbers));

        bool[] kept = expected["kept"].Flags;
        Assert.Equal(expected["pseudo_labels"].WholeNumbers, plp.PseudoLabels!.Labels);
        Assert.Equal(Enumerable.Range(0, kept.Length).Where(i => kept[i]), plp.PseudoLabels.Kept);
        Assert.Equal(3, plp.TrainCount);
        Golden.AssertClose(expected["mean"].Numbers, plp.Standardizer.Mean, Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["adam_3_steps", "weight"].Matrix.Values.ToArray(), plp.Head.Weight.Values.ToArray(), Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["adam_3_steps", "losses"].Numbers, plp.Head.History, Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["train_logits_after"].Matrix.Values.ToArray(), plp.Logits(train).Values.ToArray(), Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["msp_T1_after"].Numbers, [.. plp.Msp(train)], Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["energy_T1_after"].Numbers, [.. plp.Energy(train)], Golden.ToleranceOfSingles);

        // Three images kept, one of each class: there is no covariance within a class.
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => plp.Rmd(train));
        Assert.Contains("these 3 training images: No class has two samples", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WithTheFilterOff_TrainsOnEveryImage()
    {
        (Embeddings features, int[] labels) = Images(200, seed: 1);
        Matrix probabilities = ZeroShot(labels, sure: i => i % 5 != 0);
        Assert.Equal(160, Plp.Train(features, probabilities, _short).TrainCount);
        Assert.Equal(200, Plp.Train(features, probabilities, _short with { MinProbability = PlpOptions.Unfiltered.MinProbability }).TrainCount);
    }

    [Fact]
    public void Train_WithZeroShotErrors_StillLearnsTheClasses()
    {
        (Embeddings features, int[] labels) = Images(400, seed: 2);
        int[] pseudo = [.. labels.Select((label, i) => i % 10 == 0 ? (label + 1) % Classes : label)];
        Plp plp = Plp.Train(features, ZeroShot(pseudo, sure: _ => true), _short);
        (Embeddings test, int[] testLabels) = Images(200, seed: 3);
        int[] predicted = plp.Logits(test).ArgMax();
        Assert.InRange(predicted.Zip(testLabels, (a, b) => a == b).Count(same => same), 195, 200);
    }

    [Fact]
    public void Scores_OfImagesBetweenAllClasses_AreLower()
    {
        (Embeddings features, int[] labels) = Images(400, seed: 2);
        Plp plp = Plp.Train(features, ZeroShot(labels, sure: i => i % 3 != 0), _short);
        Embeddings id = Images(200, seed: 3).Features, ood = Images(200, seed: 4, between: true).Features;
        Assert.All(
            new Func<Embeddings, IdScores>[] { plp.Msp, plp.Energy, plp.MinShiftedL1, plp.Rmd },
            score => Assert.InRange(Metrics.Auroc(score(id), score(ood)), 0.9, 1));
        Assert.Equal(["PLP MSP", "PLP Energy", "PLP min-shifted L1", "PLP RMD"], new[] { plp.Msp(id), plp.Energy(id), plp.MinShiftedL1(id), plp.Rmd(id) }.Select(s => s.Name));
    }

    [Fact]
    public void Rmd_GroupsTheKeptLogitsByPseudoLabel()
    {
        (Embeddings features, int[] labels) = Images(120, seed: 2);
        Plp plp = Plp.Train(features, ZeroShot(labels, sure: i => i % 3 != 0), _short);
        Mahalanobis expected = Mahalanobis.Fit(
            plp.Logits(features.Select(plp.PseudoLabels!.Kept)), plp.PseudoLabels.KeptLabels, Classes, shrinkage: Mahalanobis.SuggestedShrinkage);
        Golden.AssertClose([.. expected.Rmd(plp.Logits(features))], [.. plp.Rmd(features)], 1e-9);
    }

    [Fact]
    public void Train_WhenTheFilterEmptiesAClass_KeepsItsTenMostProbableAndSaysSo()
    {
        (Embeddings features, int[] labels) = Images(200, seed: 1);
        Plp plp = Plp.Train(features, ZeroShot(labels, sure: i => labels[i] != 2), _short);
        Assert.Equal([2], plp.PseudoLabels!.RescuedClasses);
        Assert.Equal(160, plp.TrainCount);
        Assert.Equal(10, plp.PseudoLabels.KeptLabels.Count(label => label == 2));
        Assert.All(plp.Rmd(features), score => Assert.True(double.IsFinite(score)));
    }

    [Fact]
    public void Train_WhenAClassIsGivenNoImage_SaysSoAndScoresWithoutIt()
    {
        (Embeddings features, int[] labels) = Images(200, seed: 1);
        int[] pseudo = [.. labels.Select(label => label == 2 ? 1 : label)];
        Plp plp = Plp.Train(features, ZeroShot(pseudo, sure: _ => true), _short);
        Assert.Equal([2], plp.PseudoLabels!.EmptyClasses);
        Assert.Equal(Classes, plp.Head.NumClasses);
        Assert.DoesNotContain(2, plp.Logits(features).ArgMax());
        Assert.All(plp.Rmd(features), score => Assert.True(double.IsFinite(score)));

        // Another convention has no statistics of a class without images.
        Plp pooled = Plp.Train(features, ZeroShot(pseudo, sure: _ => true), _short with { Convention = MahalanobisConvention.Ninco });
        Assert.Contains("Class 2 has no sample", Assert.Throws<InvalidOperationException>(() => pooled.Rmd(features)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rmd_OfASingularCovariance_NeedsTheShrinkage()
    {
        // Two images of a class and four classes: the mean within-class covariance has no full rank with two classes kept.
        (Embeddings features, _) = Images(5, seed: 1);
        int[] labels = [0, 0, 1, 1, 2];
        PlpOptions options = _short with { Head = _short.Head with { Epochs = 2 } };
        Assert.All(Plp.WithTrueLabels(features, labels, Classes, options).Rmd(features), score => Assert.True(double.IsFinite(score)));
        Plp plain = Plp.WithTrueLabels(features, labels, Classes, options with { Shrinkage = 0 });
        Assert.Contains("pass shrinkage", Assert.Throws<InvalidOperationException>(() => plain.Rmd(features)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithTrueLabels_IsPlpWhosePseudoLabelsAreRight()
    {
        (Embeddings features, int[] labels) = Images(200, seed: 1);
        Plp probe = Plp.WithTrueLabels(features, labels, Classes, _short);
        Plp plp = Plp.Train(features, ZeroShot(labels, sure: _ => true), _short);
        Assert.Null(probe.PseudoLabels);
        Assert.Equal(200, probe.TrainCount);
        Assert.Equal("Probe MSP", probe.Msp(features).Name);
        Assert.Equal([.. plp.Rmd(features)], [.. probe.Rmd(features)], (a, b) => a.Equals(b));
    }

    [Fact]
    public void Train_WhenRowsDiffer_SaysBoth()
    {
        (Embeddings features, int[] labels) = Images(20, seed: 1);
        ArgumentException error = Assert.Throws<ArgumentException>(() => Plp.Train(features, ZeroShot(labels[..19], sure: _ => true)));
        Assert.Contains("probabilities of 19 images for features of 20", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Blobs of one class each, or around the middle of all classes, on dimensions of unlike scale as before a projection.</summary>
    private static (Embeddings Features, int[] Labels) Images(int rows, int seed, bool between = false)
    {
        (Embeddings blobs, int[] labels) = LinearHeadTests.Blobs(rows, 8, Classes, seed);
        float[] values = [.. blobs.Values.ToArray().Select((value, i) =>
        {
            float middle = value > 1 ? value - 1.5f : value + 0.5f;
            return ((between && i % 8 < Classes ? middle : value) * (1 + (i % 8))) + 3;
        })];
        return (new Embeddings(rows, 8, values), labels);
    }

    /// <summary>Probabilities of 0.97 for sure images, and just above 0.6, rising with the row, for others.</summary>
    private static Matrix ZeroShot(int[] labels, Func<int, bool> sure) => Matrix.FromRows([.. labels.Select((label, i) =>
    {
        double most = sure(i) ? 0.97 : 0.6 + (i * 1e-4);
        return Enumerable.Range(0, Classes).Select(c => c == label ? most : (1 - most) / (Classes - 1)).ToArray();
    })]);
}
