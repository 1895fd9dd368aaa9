namespace ClipOod.Notebook.Tests;

public sealed class ClusterModelTests
{
    private static readonly (Embeddings Features, int[] Labels) _all = LinearHeadTests.Blobs(500, 6, 5, seed: 3);
    private static readonly int[] _id = [.. Rows(label => label < 3)];
    private static readonly int[] _new = [.. Rows(label => label >= 3)];

    [Fact]
    public void Train_MakesOneClassOfEachLargeCluster()
    {
        // Hidden class 3 is cluster 7, class 4 is cluster 2 but for five images of noise and a cluster of four.
        int[] clusters = [.. _new.Select((row, i) => _all.Labels[row] == 3 ? 7 : i < 10 ? -1 : i < 18 ? 5 : 2)];
        ClusterModel model = ClusterModel.Train(
            _all.Features.Select(_id), [.. _id.Select(row => _all.Labels[row])], 3, _all.Features.Select(_new), clusters, HeadOptions.Seminar);
        Assert.Equal([2, 7], model.Clusters);
        Assert.Equal(5, model.Head.NumClasses);
        Assert.Equal(5 / 200.0, model.NoiseShare);
        Assert.Equal(9 / 200.0, model.UnusedShare, 1e-12);

        int[] expected = [.. _all.Labels.Select(label => label == 3 ? 4 : label == 4 ? 3 : label)];
        int wrong = model.Head.Logits(_all.Features).ArgMax().Zip(expected, (a, b) => a == b).Count(same => !same);
        Assert.True(wrong <= 5, $"{wrong} of 500 wrong");
    }

    [Fact]
    public void Evaluate_MatchesNewClassesWithHiddenLabels()
    {
        int[] clusters = [.. _new.Select(row => _all.Labels[row] == 3 ? 7 : 2)];
        (Embeddings features, int[] labels) = (_all.Features.Select(_id), [.. _id.Select(row => _all.Labels[row])]);
        ClusterModel model = ClusterModel.Train(features, labels, 3, _all.Features.Select(_new), clusters, HeadOptions.Seminar);

        // The last held-out image is an ID image, hidden label 50: it goes to its ID class, wrong as a new one.
        int[] rows = [.. _new[..99], _id[0]];
        int[] hidden = [.. _new[..99].Select(row => _all.Labels[row] == 3 ? 40 : 30), 50];
        ClusterModelQuality quality = model.Evaluate(features, labels, _all.Features.Select(rows), hidden);
        Assert.InRange(quality.IdAccuracy, 0.98, 1);
        Assert.Equal(0.99, quality.NewClassAccuracy, 1e-12);
        Assert.Equal(0.01, quality.Assigned.NoiseShare, 1e-12);
        Assert.Equal(1, quality.Assigned.Purity, 1e-12);
        Assert.Equal(0.99, quality.ToTable().DataFrame["Value"][1]);
    }

    [Fact]
    public void Train_WhenNoClusterIsLargeEnough_SaysHowLargeTheLargestIs()
    {
        int[] clusters = [.. _new.Select((_, i) => i < 12 ? 0 : -1)];
        ArgumentException error = Assert.Throws<ArgumentException>(() => ClusterModel.Train(
            _all.Features.Select(_id), [.. _id.Select(row => _all.Labels[row])], 3, _all.Features.Select(_new), clusters, HeadOptions.Seminar));
        Assert.Contains("The largest of 1 clusters has 12 members, expected at least 30", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhenAnIdLabelIsOutOfRange_Throws() =>
        Assert.Throws<ArgumentException>(() => ClusterModel.Train(
            _all.Features.Select(_id), [.. _id.Select(row => _all.Labels[row])], 2, _all.Features.Select(_new), new int[_new.Length], HeadOptions.Seminar));

    private static IEnumerable<int> Rows(Func<int, bool> belongs) =>
        Enumerable.Range(0, _all.Labels.Length).Where(row => belongs(_all.Labels[row]));
}
