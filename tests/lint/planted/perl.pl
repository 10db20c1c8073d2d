#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
use strict;
$planted = 1;
