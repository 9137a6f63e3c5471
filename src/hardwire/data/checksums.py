"""What is known of the published files: their size unpacked, and a checksum.

Each SHA-256 was computed from the file itself. It had the MD5 that is published for it; the tables of PMLB, for which
none is published, were those of May 2017. Where a file was not at hand, the published MD5 stands, and a size that is a
limit if it does not follow from the format. ``connect_4.tsv`` and the CIFAR-100 arrays have no checksum.
"""

from .fetch import File

MNIST = {
    "train-images-idx3-ubyte": File(47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "train-labels-idx1-ubyte": File(60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte": File(7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "t10k-labels-idx1-ubyte": File(10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}
FASHION_MNIST = {
    "train-images-idx3-ubyte": File(47040016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
    "train-labels-idx1-ubyte": File(60008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    "t10k-images-idx3-ubyte": File(7840016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
    "t10k-labels-idx1-ubyte": File(10008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
}
#: An archive of CIFAR has 160 to 170 million bytes.
CIFAR_ARCHIVE = 200_000_000
CIFAR10_ARCHIVE = File(CIFAR_ARCHIVE, md5="c32a1d4ab5d03f1284b67883e8d87530")
CIFAR10 = {
    "data_batch_1.bin": File(30730000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
    "data_batch_2.bin": File(30730000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
    "data_batch_3.bin": File(30730000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
    "data_batch_4.bin": File(30730000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
    "data_batch_5.bin": File(30730000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
    "test_batch.bin": File(30730000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
}
CIFAR10_PYTHON_ARCHIVE = File(CIFAR_ARCHIVE, md5="c58f30108f718f92721af3b95e74349a")
#: A batch is a pickle of 10,000 images of 3,072 bytes, their labels and their file names.
BATCH = 10_000 * 4096
CIFAR10_PYTHON = {
    "data_batch_1": File(BATCH, md5="c99cafc152244af753f735de768cd75f"),
    "data_batch_2": File(BATCH, md5="d4bba439e000b95fd0a9bffe97cbabec"),
    "data_batch_3": File(BATCH, md5="54ebc095f3ab1f0389bbae665268c751"),
    "data_batch_4": File(BATCH, md5="634d18415352ddfa80567beed471001a"),
    "data_batch_5": File(BATCH, md5="482c414d41f54cd18b22e5b47cb7c3cb"),
    "test_batch": File(BATCH, md5="40351d587109b95175f43aff81a1287e"),
}
CIFAR100_ARCHIVE = File(CIFAR_ARCHIVE, md5="03b5dce01913d631647c71ecec9e9cb8")
#: Records of 3,074 bytes.
CIFAR100 = {
    "train.bin": File(50_000 * 3074, md5="6172c7755cfe09b2fe270c85cebc1b15"),
    "test.bin": File(10_000 * 3074, md5="4499cfba6c016c1be1438163640a0898"),
}
CIFAR100_PYTHON_ARCHIVE = File(CIFAR_ARCHIVE, md5="eb9058c3a382ffc7106e4002c42a8d85")
CIFAR100_PYTHON = {
    "train": File(5 * BATCH, md5="16019d7e3df5f24257cddd939b257f8d"),
    "test": File(BATCH, md5="f0ef6b0ae62326f3e7ffdfab6717acfc"),
}
#: Written here, in an order of their own; they have no checksum.
CIFAR100_ARRAYS = {"train.npz": File(5 * BATCH), "test.npz": File(BATCH)}
UCI = {
    "monks-1.train": File(2947, "d9c328b6f0e095ab10f7bc8468f1d2141f3d08be73e665c3bf0a62994c922606"),
    "monks-1.test": File(10260, "e501ada3b21d876ab86f3e1614747bd2edc443a685f229a25e480aa1dea629f6"),
    "monks-2.train": File(4013, "7ebcc278005737caad0cd52e6aa31256a2c3174da8047faf4ac3a9d35edbdaa8"),
    "monks-2.test": File(10260, "945650affde377c27f6218c8b17893e339ea831f4bee9f9d7123020699cfbf40"),
    "monks-3.train": File(2886, "726f258f80be06af4bb2d8831789514a663f5813e47429211fe19dcd367966f8"),
    "monks-3.test": File(10260, "1d816ae7347afaf895050667adc3f382904c6ed2332d0a2d09353f5e6cb54612"),
    "adult.data": File(3974305, "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d"),
    "adult.test": File(2003153, "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05"),
    "breast-cancer.data": File(18654, "ca7d3fa97b62ff967b6894ffbb3acaaf4a51062e0149e5950b3ad6f685970b65"),
    "iris.data": File(4551, "6f608b71a7317216319b4d27b4d9bc84e6abd734eda7872b71a458569e2656c0"),
}
PMLB = {
    "letter.tsv": File(1385767, "b461aafbad4eb7d5c385b471586f96c10ea00539f8e5848ac5c80736f20913ed"),
    "satimage.tsv": File(1232473, "b37a8d9b327690c45dce604f60cfcb725b5bdd3d528d02beac1f48b72e321260"),
    "optdigits.tsv": File(1553842, "f62ae965f0caacc6520424fbaf1cec99629b9f250e12cfab5771545d222646fb"),
    "pendigits.tsv": File(902486, "63c5b54ef0308891bcaa3b3cec9b46174b940d62826bc5d713c04c502d383993"),
    "mushroom.tsv": File(383419, "5b120aa0d1d1b1717cbc550f0ed3b87b9721479855245970858cb9653c7c770d"),
    "dna.tsv": File(1157316, "9ed334cbf5f7e0bb6b46f27acef4ffb3e316d8e3772bff74910feda9be2be9ec"),
    "krkopt.tsv": File(432056, "a46816508096588d8af2eeaf65943923dd0dc52adee9358ec6f0f34b5796ce1f"),
    "shuttle.tsv": File(2639810, "2155817a066b0ebd84a6ef03e5d70c4c74cb7683c49a6582ec28f607bb12a84f"),
    "connect-4.tsv": File(5877593, "53a5eaa3accd3a2251445f469961bcecbb00d72cc9d7c8928adf9afc2bed6614"),
    "connect_4.tsv": File(8_000_000),
}
